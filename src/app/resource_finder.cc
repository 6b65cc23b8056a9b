#include "app/resource_finder.h"

#include <utility>

#include "base/text.h"

namespace certlatch {

ResourceFinder::ResourceFinder(Host& host, std::string type, bool retry_unauthorized,
                               Function<void(Result<Resource>&&)> then)
    : host_(host),
      type_(std::move(type)),
      retry_unauthorized_(retry_unauthorized),
      then_(std::move(then)) {}

void ResourceFinder::Start() {
  if (auto known = FindWellKnownType(type_)) return then_(*std::move(known));
  request_ = host_.Fetch("/apis", [this](const ApiAnswer& answer) { OnGroups(answer); });
}

void ResourceFinder::OnGroups(const ApiAnswer& answer) {
  if (answer.status != 200 || !answer.problem.empty()) {
    const bool denied = answer.status == 403 || (answer.status == 401 && !retry_unauthorized_);
    return Finish(Error{denied ? Code::kDenied : Code::kRetry, DescribeAnswer(answer)});
  }
  const Result<Json> groups = ParseJson(answer.body);
  if (!groups) {
    return Finish(
        Failure(Code::kRetry, "the API server's answer is %s", groups.error().text.c_str()));
  }
  for (const TypeName& name : ReadTypeName(type_)) {
    for (std::string& group_version : GroupVersionsToAsk(*groups, name)) {
      questions_.push_back({name, std::move(group_version)});
    }
  }
  AskNext();
}

void ResourceFinder::AskNext() {
  if (next_ < questions_.size()) {
    request_ = host_.Fetch(DiscoveryPath(questions_[next_].group_version),
                           [this](const ApiAnswer& answer) { OnResources(answer); });
    return;
  }
  if (!unanswered_.empty()) return Finish(Error{Code::kRetry, unanswered_});
  Finish(Failure(Code::kNotFound, "the server doesn't have a resource type \"%s\"",
                 Printable(type_, 300).c_str()));
}

void ResourceFinder::OnResources(const ApiAnswer& answer) {
  const Question& question = questions_[next_++];
  std::string problem;
  if (answer.status == 200 && answer.problem.empty()) {
    const Result<Json> resources = ParseJson(answer.body);
    if (resources) {
      std::optional<Resource> found =
          FindInResourceList(*resources, question.group_version, question.name);
      if (found) return Finish(*std::move(found));
      return AskNext();
    }
    problem = resources.error().text;
  } else {
    problem = DescribeAnswer(answer);
  }
  // One broken aggregated API must not hide the types of all others.
  unanswered_ = Format("%s: %s", DiscoveryPath(question.group_version).c_str(), problem.c_str());
  AskNext();
}

void ResourceFinder::Finish(Result<Resource>&& result) {
  request_.reset();
  then_(std::move(result));
}

}  // namespace certlatch

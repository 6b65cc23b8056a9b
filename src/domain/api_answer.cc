#include "domain/api_answer.h"

#include "base/text.h"

namespace certlatch {

Json StatusOf(const ApiAnswer& answer) {
  Result<Json> json = ParseJson(answer.body);
  if (!json || (*json)["kind"].AsString() != "Status") return Json();
  return *std::move(json);
}

std::string DescribeAnswer(const ApiAnswer& answer) {
  if (answer.status == 0 || !answer.problem.empty()) return answer.problem;
  const Json status = StatusOf(answer);
  std::string_view message = status["message"].AsString();
  // Answers from proxies and from before the API's own handlers are plain text.
  if (message.empty() && answer.body.find('<') == std::string::npos) message = Trim(answer.body);
  return Format("HTTP %d%s%s", answer.status, message.empty() ? "" : ": ",
                Printable(message, 500).c_str());
}

}  // namespace certlatch

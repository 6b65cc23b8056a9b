// ResourceFinder tells what a TYPE is: from the built-in table, else by asking the API server:
// /apis, then the resource list of each group version that may have it, one request at a time, the
// first match wins (kubectl's order). Owns at most one request; one answer, then it is of no
// further use.
#pragma once

#include <string>
#include <vector>

#include "app/host.h"
#include "base/function.h"
#include "domain/resource.h"

namespace certlatch {

class ResourceFinder {
 public:
  // `then` gets the resource, or kNotFound: no such type; kDenied, kRetry: could not be told.
  // `retry_unauthorized`: a 401 is Code::kRetry, since the token comes from a file that rotates.
  ResourceFinder(Host& host, std::string type, bool retry_unauthorized,
                 Function<void(Result<Resource>&&)> then);

  // What the table knows is told before this returns. `then` must not destroy this.
  void Start();
  void Close() { request_.reset(); }  // nothing is told any more

 private:
  void OnGroups(const ApiAnswer& answer);
  void AskNext();
  void OnResources(const ApiAnswer& answer);
  void Finish(Result<Resource>&& result);

  struct Question {
    TypeName name;
    std::string group_version;
  };

  Host& host_;
  std::string type_;
  bool retry_unauthorized_;
  Function<void(Result<Resource>&&)> then_;
  Handle request_;
  std::vector<Question> questions_;
  size_t next_ = 0;
  std::string unanswered_;  // what went wrong with a group version that was passed over
};

}  // namespace certlatch

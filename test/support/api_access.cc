#include "test/support/api_access.h"

#include <algorithm>

namespace certlatch::test {
namespace {

bool AnyOr(const std::vector<std::string>& allowed, std::string_view wanted) {
  return allowed.empty() || std::find(allowed.begin(), allowed.end(), wanted) != allowed.end();
}

}  // namespace

bool Allows(const ApiUser& user, const ApiAction& action) {
  return user.all || std::any_of(user.rules.begin(), user.rules.end(), [&](const ApiRule& rule) {
           return AnyOr(rule.verbs, action.verb) && AnyOr(rule.resources, action.resource) &&
                  AnyOr(rule.names, action.name) && AnyOr(rule.namespaces, action.ns);
         });
}

}  // namespace certlatch::test

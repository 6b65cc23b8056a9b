// ApiClient changes the objects of a real API server, for tests that need them in a certain state:
// one blocking request at a time, JSON bodies as text.
// Owns one connection, opened when it is needed and again when the server has cut it; no answer is
// a Response with status 0. The caller judges the status.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "domain/json.h"
#include "test/support/test_client.h"

namespace certlatch::test {

class ApiClient {
 public:
  // On loopback; `token` is that of an administrator.
  ApiClient(uint16_t port, std::string ca_pem, std::string token);

  Response Get(std::string_view path) { return Request("GET", path, ""); }
  Response Post(std::string_view path, std::string_view json) {
    return Request("POST", path, json);
  }
  Response PostYaml(std::string_view path, std::string_view yaml) {
    return Request("POST", path, yaml, "application/yaml");
  }
  // RFC 7386: null removes, lists are replaced as a whole.
  Response MergePatch(std::string_view path, std::string_view json) {
    return Request("PATCH", path, json, "application/merge-patch+json");
  }
  Response Delete(std::string_view path) { return Request("DELETE", path, ""); }

  // The TokenRequest API; "": refused.
  std::string TokenFor(const std::string& ns, const std::string& service_account);

 private:
  Response Request(std::string_view method, std::string_view path, std::string_view body,
                   const std::string& type = "application/json");

  uint16_t port_;
  std::string ca_pem_;
  std::string headers_;
  std::unique_ptr<TestClient> connection_;
};

}  // namespace certlatch::test

#include "test/support/api_client.h"

#include <optional>
#include <utility>

namespace certlatch::test {

ApiClient::ApiClient(uint16_t port, std::string ca_pem, std::string token)
    : port_(port), ca_pem_(std::move(ca_pem)) {
  headers_ = "Authorization: Bearer " + token + "\r\nAccept: application/json\r\n";
}

Response ApiClient::Request(std::string_view method, std::string_view path, std::string_view body,
                            const std::string& type) {
  const std::string headers = headers_ + "Content-Type: " + type + "\r\n";
  // A kept connection may have been cut since: the second attempt opens its own.
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (connection_ == nullptr) connection_ = TestClient::Connect(port_, ca_pem_);
    if (connection_ == nullptr) return {};
    std::optional<Response> response = connection_->Request(method, path, body, headers);
    if (response) return *std::move(response);
    connection_.reset();
  }
  return {};
}

std::string ApiClient::TokenFor(const std::string& ns, const std::string& service_account) {
  const Response response =
      Post("/api/v1/namespaces/" + ns + "/serviceaccounts/" + service_account + "/token",
           R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}})");
  const Result<Json> json = ParseJson(response.body);
  return json ? std::string((*json)["status"]["token"].AsString()) : "";
}

}  // namespace certlatch::test

// ApiError is a failed request as Kubernetes words it: an HTTP code and a Status object.
// Pure. The texts are those of k8s.io/apimachinery/pkg/api/errors, because clients print them.
// SendStatus is for handlers that a test injects.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "domain/json.h"
#include "test/support/api_resource.h"
#include "test/support/connection.h"

namespace certlatch::test {

struct ApiError {
  int code = 500;
  Json status;
};

ApiError MakeError(int code, std::string_view reason, std::string_view message,
                   Json details = Json());

ApiError NotFound(const ApiResource& resource, std::string_view name);
ApiError AlreadyExists(const ApiResource& resource, std::string_view name);
ApiError Conflict(const ApiResource& resource, std::string_view name);
ApiError Unauthorized();
// `what` is "cannot get resource ..." and so on.
ApiError Forbidden(const ApiResource& resource, std::string_view name, std::string_view what);
ApiError BadRequest(std::string_view message);
ApiError Expired(std::string_view message);
ApiError TooLargeVersion(int64_t wanted, int64_t current);

bool SendStatus(Connection& connection, const ApiError& error, HeaderList headers = {});

}  // namespace certlatch::test

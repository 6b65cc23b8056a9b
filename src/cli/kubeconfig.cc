#include "cli/kubeconfig.h"

#include <cstddef>
#include <span>
#include <utility>

#include "base/text.h"
#include "cli/connection_flags.h"
#include "domain/base64.h"
#include "domain/json.h"

namespace certlatch {
namespace {

enum class Form : uint8_t { kText, kHeader, kFile, kData, kSecret, kSecretData, kSwitch, kRefused };

// A member of a cluster or user, and where in ConnectionOptions it goes.
struct Field {
  const char* key;
  Form form;
  uint16_t place = 0;
};
#define CERTLATCH_CONNECTION(member) offsetof(ConnectionOptions, member)

constexpr Field kClusterFields[] = {
    {"server", Form::kText, CERTLATCH_CONNECTION(server)},
    {"tls-server-name", Form::kText, CERTLATCH_CONNECTION(tls_server_name)},
    {"proxy-url", Form::kRefused},
};
constexpr Field kTrustFields[] = {
    {"insecure-skip-tls-verify", Form::kSwitch, CERTLATCH_CONNECTION(insecure_skip_tls_verify)},
    {"certificate-authority", Form::kFile, CERTLATCH_CONNECTION(certificate_authority)},
    {"certificate-authority-data", Form::kData, CERTLATCH_CONNECTION(certificate_authority_data)},
};
constexpr Field kImpersonationFields[] = {
    {"as", Form::kHeader, CERTLATCH_CONNECTION(as)},
    {"as-uid", Form::kHeader, CERTLATCH_CONNECTION(as_uid)},
    {"as-user-extra", Form::kRefused},
};
constexpr Field kIdentityFields[] = {
    {"token", Form::kSecret, CERTLATCH_CONNECTION(token)},
    {"tokenFile", Form::kFile, CERTLATCH_CONNECTION(token_file)},
    {"client-certificate", Form::kFile, CERTLATCH_CONNECTION(client_certificate)},
    {"client-certificate-data", Form::kData, CERTLATCH_CONNECTION(client_certificate_data)},
    {"client-key", Form::kFile, CERTLATCH_CONNECTION(client_key)},
    {"client-key-data", Form::kSecretData, CERTLATCH_CONNECTION(client_key_data)},
    {"exec", Form::kRefused},
    {"auth-provider", Form::kRefused},
    {"username", Form::kRefused},
};

class Kubeconfig {
 public:
  Kubeconfig(const std::string& file, ConnectionOptions& options)
      : file_(file), shown_(Printable(file, 300)), options_(options) {}

  Status Read(const Json& config, const std::string& wanted, std::string& ns) {
    const std::string_view name = wanted.empty() ? config["current-context"].AsString() : wanted;
    const Json* const context = Named(config, "contexts", "context", name);
    if (context == nullptr) return Missing("context", name);
    const std::string_view cluster_name = (*context)["cluster"].AsString();
    const std::string_view user_name = (*context)["user"].AsString();
    const Json* const cluster = Named(config, "clusters", "cluster", cluster_name);
    if (cluster == nullptr) return Missing("cluster", cluster_name);
    const Json* const user = Named(config, "users", "user", user_name);
    if (user == nullptr && !user_name.empty()) return Missing("user", user_name);
    ns = (*context)["namespace"].AsString();
    Status status = ReadCluster(*cluster);
    if (status && user != nullptr) status = ReadUser(*user);
    if (!status || !options_.server.empty()) return status;
    // Another server than its own must not get the user's token.
    return Failure(Code::kConfig, "%s: the cluster has no server", shown_.c_str());
  }

 private:
  // {"LISTS": [{"name": NAME, "KIND": {…}}]}
  static const Json* Named(const Json& config, const char* list, const char* kind,
                           std::string_view name) {
    for (const Json& entry : config[list].items()) {
      if (entry["name"].AsString() == name) return &entry[kind];
    }
    return nullptr;
  }

  Error Missing(const char* what, std::string_view name) const {
    return Failure(Code::kConfig, "%s: %s \"%s\" does not exist", shown_.c_str(), what,
                   Printable(name, 100).c_str());
  }

  // Where flags name whom to trust, or who we are, the file does not.
  Status ReadCluster(const Json& cluster) {
    const bool trusted =
        options_.insecure_skip_tls_verify || !options_.certificate_authority.empty();
    Status status = Take(cluster, kClusterFields);
    if (status && !trusted) status = Take(cluster, kTrustFields);
    if (!options_.certificate_authority_data.empty()) options_.certificate_authority.clear();
    return status;
  }

  Status ReadUser(const Json& user) {
    const bool known = !options_.token.empty() || !options_.token_file.empty() ||
                       !options_.client_certificate.empty();
    Status status;
    if (options_.as.empty()) {
      status = Take(user, kImpersonationFields);
      for (const Json& group : user["as-groups"].items()) {
        if (status) status = AddHeaderText(&options_.as_groups, group.AsString());
      }
    }
    if (status && !known) status = Take(user, kIdentityFields);
    // As kubectl: what stands in the file counts before other files, a token's file before a token.
    if (!options_.client_certificate_data.empty()) options_.client_certificate.clear();
    if (!options_.client_key_data.empty()) options_.client_key.clear();
    if (!options_.token_file.empty()) options_.token = Secret();
    return status;
  }

  Status Take(const Json& from, std::span<const Field> fields) {
    for (const Field& field : fields) {
      const Json& value = from[field.key];
      if (value.is_null()) continue;
      Status status = TakeField(field, value);
      if (!status) {
        return Failure(Code::kConfig, "%s: %s: %s", shown_.c_str(), field.key,
                       status.error().text.c_str());
      }
    }
    return {};
  }

  Status TakeField(const Field& field, const Json& value) {
    void* const place = reinterpret_cast<char*>(&options_) + field.place;
    auto* const text = static_cast<std::string*>(place);
    const std::string_view given = value.AsString();
    switch (field.form) {
      case Form::kSwitch:
        *static_cast<bool*>(place) = value.AsBool().value_or(false);
        break;
      case Form::kText:
        if (text->empty()) *text = given;
        break;
      case Form::kHeader:
        return SetHeaderText(place, given);
      case Form::kFile:
        if (given.empty()) break;
        *text = given[0] == '/' ? std::string() : file_.substr(0, file_.rfind('/') + 1);
        text->append(given);
        break;
      case Form::kData: {
        Result<std::string> data = DecodeBase64(given);
        if (!data) return std::move(data).error();
        *text = *std::move(data);
        break;
      }
      case Form::kSecret:
        return SetToken(place, given);
      case Form::kSecretData: {
        Result<Secret> data = DecodeBase64Secret(given);
        if (!data) return std::move(data).error();
        *static_cast<Secret*>(place) = *std::move(data);
        break;
      }
      case Form::kRefused:
        return Error{Code::kConfig,
                     "cannot be used here; a token or a client certificate can, and a server that "
                     "is reached directly"};
    }
    return {};
  }

  const std::string& file_;
  std::string shown_;
  ConnectionOptions& options_;
};

// The tokens and keys of all users. The tree is ours, and nobody reads it again.
void Forget(const Json& config) {
  for (const Json& entry : config["users"].items()) {
    for (const Json::Member& member : entry["user"].members()) {
      const std::string_view text = member.value.AsString();
      Wipe(const_cast<char*>(text.data()), text.size());
    }
  }
}

}  // namespace

Status UseKubeconfig(std::string& text, const std::string& file, const std::string& context,
                     ConnectionOptions& options, std::string& ns) {
  const std::string shown = Printable(file, 300);
  if (!Trim(text).starts_with('{')) {
    Wipe(text);
    return Failure(Code::kConfig,
                   "%s: YAML is not read here; convert it once: "
                   "kubectl config view --raw --minify --kubeconfig=%s -o json > %s.json",
                   shown.c_str(), shown.c_str(), shown.c_str());
  }
  const Result<Json> json = ParseJson(text);
  Wipe(text);
  if (!json) return Failure(Code::kConfig, "%s: %s", shown.c_str(), json.error().text.c_str());
  Status status = Kubeconfig(file, options).Read(*json, context, ns);
  Forget(*json);
  return status;
}

}  // namespace certlatch

#include "app/secret_writer.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "domain/readiness.h"
#include "domain/secret_files.h"

namespace certlatch {
namespace {

constexpr Duration kRetry = 2s;

}  // namespace

Status WriteSecret(Host& host, const Json& secret, const TargetName& where, unsigned mode) {
  const Json& data = secret["data"];
  Status status = CheckSecretFiles(data);
  std::string written;
  if (status) status = host.WriteVolume(where.text, data, mode, written);
  if (!status || written.empty()) return status;
  host.Log({LogLevel::kInfo, "written",
            Format("secret/%s: %zu files written to %s/%s", where.name.c_str(),
                   data.members().size(), where.text.c_str(), written.c_str())});
  return status;
}

Duration WriteReady(Host& host, const Json* secret, const TargetName& where, unsigned mode,
                    std::string& trouble) {
  const WallTime now = host.WallNow();
  Verdict verdict = JudgeSecret(secret, {}, now);
  if (verdict.state == Verdict::State::kMet) {
    Status written = WriteSecret(host, *secret, where, mode);
    if (written) return {};
    trouble = std::move(written.error().text);
    return kRetry;
  }
  trouble = std::move(verdict.reason);
  if (!verdict.recheck) return {};
  // Wall time has whole seconds: a full one more, so that the moment has surely come.
  return std::clamp<std::chrono::seconds>(*verdict.recheck - now + 1s, 1s, 24h);
}

}  // namespace certlatch

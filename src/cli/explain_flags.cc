// `certlatch explain`.

#include <utility>

#include "base/text.h"
#include "cli/connection_flags.h"
#include "domain/target.h"

namespace certlatch {
namespace {

constexpr const char* kExplainUsage =
    "Look once: is it ready, and if not, why? Link by link, as far as we may read: Certificate,\n"
    "CertificateRequest, Issuer, Order, Challenge; ExternalSecret, SecretStore; who fills a "
    "Secret;\n"
    "Service, Endpoints, workloads and their pods.\n"
    "\n"
    "Usage: certlatch explain TYPE/NAME[:PORT][@NAMESPACE]... [flags]\n"
    "\n"
    "Flags:\n";

constexpr const char* kExplainExamples =
    "\n"
    "Exit status: 0 all are ready; 1 one is not, or it cannot be told.\n"
    "\n"
    "Examples:\n"
    "  certlatch explain certificate/web\n"
    "  certlatch explain secret/web-tls@prod service/api -o json\n";

constexpr Flag kExplainFlags[] = {
    {"timeout", "DURATION", "of the whole look; default 30s", SetLimit,
     CERTLATCH_COMMAND(explain.timeout)},
    {"output", "json", "print JSON, one object a line and target", SetText, CERTLATCH_GIVEN(output),
     'o'},
};

Status CompleteExplain(Parsed& parsed, const Surroundings& surroundings) {
  ExplainOptions& explain = parsed.command.explain;
  Status output = CompleteOutput(parsed.given, "json", explain.json);
  if (!output) return output;
  if (parsed.positional.words.empty()) return Refuse("no target: name one, as certificate/web");
  Result<std::vector<TargetName>> targets = ParseTargets(parsed.positional.words);
  if (!targets) return std::move(targets).error();
  if (targets->size() > kMaxTargets) return Refuse("more than %zu targets", kMaxTargets);
  for (const TargetName& target : *targets) {
    if (target.goal.empty()) continue;
    return Refuse("target \"%s\": whether it is ready is looked at, no other condition",
                  Printable(target.text, 300).c_str());
  }
  explain.targets = *std::move(targets);
  return CompleteConnection(surroundings, parsed, explain.watch, explain.ns);
}

}  // namespace

const ModeSyntax kExplainMode = {
    "explain", Command::Kind::kExplain, kExplainUsage, kExplainExamples, {kExplainFlags}, 0, 0,
    0,         CompleteExplain};

}  // namespace certlatch

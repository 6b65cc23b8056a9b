// `certlatch check`.

#include <utility>

#include "cli/pair_flags.h"

namespace certlatch {
namespace {

constexpr const char* kCheckUsage =
    "Look once: are the expected, the mounted and the served certificate the same?\n"
    "Usage: certlatch check --volume DIR [flags]\n"
    "\n"
    "Flags:\n";

constexpr const char* kCheckExamples =
    "\n"
    "Exit status: 0 those that were asked for agree; 1 they do not, or it cannot be told.\n"
    "\n"
    "Examples:\n"
    "  certlatch check --volume /tls --prove localhost:8443,sni=web.example.com\n"
    "  certlatch check --volume /tls --expect lease/web --min-validity 24h -o json\n";

constexpr Flag kCheckFlags[] = {
    {"timeout", "DURATION", "of the whole look; default 10s", SetLimit,
     CERTLATCH_COMMAND(check.timeout)},
    {"output", "json", "print JSON", SetText, CERTLATCH_GIVEN(output), 'o'},
};

Status CompleteCheck(Parsed& parsed, const Surroundings& surroundings) {
  CheckOptions& check = parsed.command.check;
  Status status = RefuseWords(parsed.positional);
  if (status) status = RequireVolume(check.pod.volume);
  if (status) status = CompleteOutput(parsed.given, "json", check.json);
  if (!status) return status;
  check.min_validity = parsed.given.min_validity;
  check.require_name = std::move(parsed.given.require_name);
  WatchSettings watch;  // it watches nothing
  std::string ns;
  return CompleteExpect(surroundings, parsed, check.expect.source != ReloadOptions::Source::kNone,
                        check.expect, watch, ns);
}

}  // namespace

const ModeSyntax kCheckMode = {"check",
                               Command::Kind::kCheck,
                               kCheckUsage,
                               kCheckExamples,
                               {kVolumeFlags, kExpectFlags, kCheckFlags},
                               offsetof(Command, check.pod.volume),
                               offsetof(Command, check.pod),
                               offsetof(Command, check.expect),
                               CompleteCheck};

}  // namespace certlatch

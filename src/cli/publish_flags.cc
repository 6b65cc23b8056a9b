// `certlatch publish`.

#include "base/text.h"
#include "cli/connection_flags.h"
#include "cli/pair_flags.h"
#include "domain/target.h"

namespace certlatch {
namespace {

constexpr const char* kPublishUsage =
    "Tell sidecars by a Lease's annotations which certificate is right.\n"
    "Usage: certlatch publish --lease NAME (--secret NAME | --volume DIR) [flags]\n"
    "\n"
    "Flags:\n";

constexpr const char* kPublishExamples =
    "\n"
    "Exit status: 0 interrupted, or published once; 1 refused or not published in time.\n"
    "\n"
    "Examples:\n"
    "  certlatch publish --lease web --secret web-tls --create\n"
    "  certlatch publish --lease web --volume /tls --once --timeout 1m\n";

Status SetObjectName(void* place, std::string_view value) {
  if (!IsObjectName(value)) return Refuse("must be the name of an object");
  return SetText(place, value);
}

constexpr Flag kPublishFlags[] = {
    {"lease", "NAME", "which Lease gets the annotations", SetObjectName,
     CERTLATCH_COMMAND(publish.lease)},
    {"secret", "NAME", "the Secret that holds the certificate", SetObjectName,
     CERTLATCH_COMMAND(publish.secret)},
    {"annotation-prefix", "P", "of the Lease's annotations; default kubetemplater.io",
     SetAnnotationPrefix, CERTLATCH_COMMAND(publish.annotation_prefix)},
    {"create", "", "the Lease, where there is none", SetSwitch, CERTLATCH_COMMAND(publish.create)},
    {"once", "", "end when it is published", SetSwitch, CERTLATCH_COMMAND(publish.once)},
    {"timeout", "DURATION", "of --once; default 3m", SetLimit, CERTLATCH_COMMAND(publish.timeout),
     0, "once"},
};

// nullptr: nothing.
const char* WhatIsWrong(const PublishOptions& options) {
  const bool volume = !options.volume.directory.empty();
  if (options.lease.empty()) return "no Lease: give --lease";
  if (options.secret.empty() && !volume) {
    return "no certificate: give --secret, or --volume with the directory where it is mounted";
  }
  if (!options.secret.empty() && volume) return "--secret and --volume contradict each other";
  return nullptr;
}

Status CompletePublish(Parsed& parsed, const Surroundings& surroundings) {
  PublishOptions& publish = parsed.command.publish;
  Status words = RefuseWords(parsed.positional);
  if (!words) return words;
  if (const char* wrong = WhatIsWrong(publish)) return Refuse("%s", wrong);
  return CompleteConnection(surroundings, parsed, publish.watch, publish.ns);
}

}  // namespace

const ModeSyntax kPublishMode = {"publish",
                                 Command::Kind::kPublish,
                                 kPublishUsage,
                                 kPublishExamples,
                                 {kPublishFlags, kVolumeFlags},
                                 offsetof(Command, publish.volume),
                                 0,
                                 0,
                                 CompletePublish};

}  // namespace certlatch

// The flags of the modes that look at a certificate: which files are mounted, which object says
// what they should be, and where the app serves them. Pure.
#pragma once

#include "cli/mode.h"

namespace certlatch {

// Where the certificate is: parts kVolumePart.
Status SetFileName(void* place, std::string_view value);  // relative, within the volume

inline constexpr const char* kFileHelp =
    "--cert-file, --key-file: default ca.crt, tls.crt, tls.key";

inline constexpr Flag kVolumeFlags[] = {
    {"volume", "DIR", "the directory where the certificate is mounted", SetFilled,
     CERTLATCH_PLACE(kVolumePart, VolumeOptions, directory)},
    {"cert-file", "NAME", "", SetFileName, CERTLATCH_PLACE(kVolumePart, VolumeOptions, cert_file),
     0, "volume"},
    {"key-file", "NAME", "", SetFileName, CERTLATCH_PLACE(kVolumePart, VolumeOptions, key_file), 0,
     "volume"},
    {"ca-file", "NAME", kFileHelp, SetFileName,
     CERTLATCH_PLACE(kVolumePart, VolumeOptions, ca_file), 0, "volume"},
};

// What it should be: parts kExpectPart and kPodPart.
Status SetExpect(void* place, std::string_view value);            // an ExpectOptions
Status SetAnnotationPrefix(void* place, std::string_view value);  // a std::string
Status SetProbe(void* place, std::string_view value);             // a std::optional<ProbeTarget>

inline constexpr Flag kExpectFlags[] = {
    {"expect",
     "SOURCE",
     "lease/NAME or secret/NAME: says what is right; default none",
     SetExpect,
     {kExpectPart, 0}},
    {"annotation-prefix", "P", "of the Lease's annotations; default kubetemplater.io",
     SetAnnotationPrefix, CERTLATCH_PLACE(kExpectPart, ExpectOptions, annotation_prefix)},
    {"require-name", "NAME", "what the certificate must be valid for", SetFilled,
     CERTLATCH_GIVEN(require_name)},
    {"min-validity", "DURATION", "how long it must still be valid", SetDelay,
     CERTLATCH_GIVEN(min_validity)},
    {"prove", "HOST:PORT", "where the app serves it; [,sni=NAME][,starttls=postgres]", SetProbe,
     CERTLATCH_PLACE(kPodPart, PodOptions, prove)},
};

inline constexpr const char* kNudgeHelp = "have the kubelet sync at once; needs $POD_NAME";

// Which pod we are, where --nudge is given. For its rights alone: kAnyPod, in whatever namespace
// the command is for, unless that is said.
Status CompleteNudge(const Surroundings& surroundings, NudgeOptions& nudge);

// Which Secret is written where: DIR=secret/NAME[@NS], one more of them.
Status AddWrite(void* place, std::string_view value);      // a std::vector<TargetName>
Status SetWriteMode(void* place, std::string_view value);  // an unsigned

// Checks that there is a volume.
Status RequireVolume(const VolumeOptions& volume);

// The connection to the API server and the namespace of `expect`, if anything `needs` them; else
// connection.server is "".
Status CompleteExpect(const Surroundings& surroundings, Parsed& parsed, bool needs,
                      ExpectOptions& expect, WatchSettings& watch, std::string& ns);

}  // namespace certlatch

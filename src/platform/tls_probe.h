// ProbeTls asks which certificate an app serves now: a TLS 1.2 or 1.3 handshake that offers only
// the signatures that one kind of key can make, so that a server with several certificates shows
// the one asked for. Each probe is a full handshake: a resumed session would be about an older
// leaf. The leaf counts once the server has proved that it holds its key, also where it then
// refuses us because we show no certificate. Nothing else is verified, neither chain nor names nor
// dates: the question is whether these are the mounted bytes, not whom to trust. Owns one
// connection; OpenSSL bounds the messages (100 KiB of certificates).
#pragma once

#include "base/function.h"
#include "base/result.h"
#include "domain/cert_pair.h"
#include "domain/endpoint.h"
#include "platform/loop.h"

namespace certlatch {

// The served leaf. Error (kRetry): one line that names the endpoint and what to look at.
using ProbeResult = Result<CertFacts>;

// `kind` is the mounted leaf's; kOther offers all. (Of P-521 the static build knows the signatures,
// but not the group that TLS 1.2 asks for besides: such a leaf shows in TLS 1.3 only.) `target`
// outlives the handle. `then` is called once, from the loop, within `deadline`; destroying the
// handle cancels.
[[nodiscard]] Handle ProbeTls(Loop& loop, const ProbeTarget& target, KeyKind kind,
                              Duration deadline, Function<void(const ProbeResult&)> then);

}  // namespace certlatch

// Reachable is something outside the Kubernetes API that a pod waits for, as its user writes it:
// tcp://HOST:PORT, http(s)://…, postgres://HOST[:PORT], file:PATH. Pure: the form is checked,
// nothing is looked up. What one attempt means is here; host.h's Probe makes it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "domain/endpoint.h"

namespace certlatch {

struct Reachable {
  enum class Kind : uint8_t {
    kTcp,       // a connection is accepted
    kHttp,      // an answer with one of `statuses`
    kPostgres,  // the server answers a startup packet and is not starting up, as pg_isready asks
    kFile,      // the file exists and, if it is a regular one, is readable and not empty
    kName,      // the host's name has an address
  };
  Kind kind = Kind::kTcp;
  Endpoint endpoint;       // kTcp, kPostgres; kName: its host alone
  std::string url;         // kHttp, as given
  std::string path;        // kFile
  bool empty_too = false;  // kFile: it may be empty, or unreadable

  // kHttp:
  std::string statuses = "2xx";  // those that count as ready, checked
  std::string ca_file;           // whom to trust, read for each attempt; "": the system's
  bool head = false;             // HEAD, not GET
  bool insecure = false;         // the server's certificate is not verified
  bool follow = false;           // redirects, at most 5
  std::string ca_pem;            // instead of `ca_file`
  std::string address;           // what to connect to instead of the URL's host: an IP, or a name
  std::string called;            // the server, in reasons; "": nothing of it

  std::string text;  // as given, without what may be secret (credentials, a query): for messages
};

// Whether an attempt at one tells of the other, too: the same place, asked by the same bundle.
bool IsSameServer(const Reachable& one, const Reachable& other);

// Whether `text` is meant as one: it has a scheme, if only one that ParseReachable refuses. (A
// "file:" never is TYPE/NAME, nor is what has "://".)
bool IsReachable(std::string_view text);

// `reachable` is a new one, or with an error anything. A user and a database of a postgres URL are
// ignored: who may come in is not asked. Error (kConfig): one line that names the part at fault,
// and never shows credentials.
Status ParseReachable(std::string_view text, Reachable& reachable);

// What one attempt found.
struct ProbeOutcome {
  bool ready = false;
  int http_status = 0;  // kHttp; 0: no answer
  std::string reason;   // why not: one printable line that does not name the target; "" when ready
  bool distrusted = false;  // see ApiAnswer
};

}  // namespace certlatch

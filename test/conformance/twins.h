// Twins runs the small binary and its twin, which is built from the same sources without a single
// trim, against the same server, and compares what they decide. Decisions are asked for with
// `--timeout=0`: one look, and the reason on one line.
// CERTLATCH_STATIC and CERTLATCH_UNTRIMMED name other binaries than those in build/.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "test/conformance/forge.h"
#include "test/conformance/record_proxy.h"
#include "test/support/files.h"
#include "test/support/mini_apiserver.h"
#include "test/support/subprocess.h"
#include "test/system/certlatch_run.h"

namespace certlatch::test {

std::string SmallBinary();
std::string WholeBinary();
std::string WholeOpenssl();  // the command that is built beside it

struct Decision {
  bool taken = false;  // exit status 0
  // The last line without what differs by nature: the port, and OpenSSL's texts for error codes,
  // which the small binary does without.
  std::string reason;
  std::string outcome;  // for messages
};
void PrintTo(const Decision& decision, std::ostream* out);

// How far the twins agree where a server is refused.
enum class Alike {
  kToTheWord,   // the same reason, error codes included
  kInDecision,  // both refuse, each with words of its own
};

class Twins : public testing::Test {
 protected:
  Twins();

  // --- the server: an API server with the object that is waited for ---
  MiniApiserver& api() { return *api_; }
  std::string url() { return api_->url(); }
  const PemPair& root() const { return root_; }
  PemPair Leaf(const Shape& shape = {}) const { return Issue(root_, shape, NewKey("EC:P-256")); }
  // What it presents from now on; `chain` follows the leaf.
  void Present(const PemPair& leaf, const std::string& chain = "", TlsSettings settings = {});
  void Trust(std::string_view pem);  // what the clients trust from now on
  std::string Write(std::string_view name, std::string_view bytes) const;  // its path

  // --- decisions ---
  void ExpectTaken(const Args& extra = {}) { ExpectTakenAt(url(), extra); }
  void ExpectTakenAt(const std::string& url, const Args& extra = {});
  // Both refuse, without a request, and the reason has `why`.
  void ExpectRefused(const std::string& why, const Args& extra = {},
                     Alike alike = Alike::kToTheWord) {
    ExpectRefusedAt(url(), why, extra, alike);
  }
  void ExpectRefusedAt(const std::string& url, const std::string& why, const Args& extra = {},
                       Alike alike = Alike::kToTheWord);
  // What the small binary does not offer, by design: the twin takes it.
  void ExpectOnlyTheWholeTakes(const Args& extra = {}) { ExpectOnlyTheWholeTakesAt(url(), extra); }
  void ExpectOnlyTheWholeTakesAt(const std::string& url, const Args& extra = {});

  // Both on `arguments`, with nothing added.
  struct Both {
    Decision small, whole;
  };
  Both DecideAt(const std::string& url, const Args& extra) const;
  Args CommonArgs(const std::string& url, const Args& extra) const;

 private:
  TempDir dir_;
  PemPair root_;
  std::unique_ptr<MiniApiserver> api_;
};

std::unique_ptr<Subprocess> StartTwin(const std::string& binary, Args arguments);

}  // namespace certlatch::test

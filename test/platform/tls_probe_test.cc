#include "platform/tls_probe.h"

#include <gmock/gmock.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/text.h"
#include "domain/conversation.h"
#include "test/platform/loop_fixture.h"
#include "test/platform/talk_server.h"
#include "test/support/pki.h"
#include "test/support/tls_context.h"

namespace certlatch {
namespace {

using test::Authority;
using test::CertFingerprint;
using test::CertSpec;
using test::KeyType;
using test::PemPair;
using test::TalkServer;
using test::TlsSettings;
using test::Transport;
using test::Wake;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using ServerContext = std::shared_ptr<SSL_CTX>;

constexpr int kVersions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

PemPair Issue(KeyType type) {
  CertSpec spec;
  spec.key = type;
  return Authority().Issue(spec);
}

const PemPair& P256() {
  static const PemPair pair = Issue(KeyType::kEcP256);
  return pair;
}

const PemPair& Rsa() {
  static const PemPair pair = Issue(KeyType::kRsa2048);
  return pair;
}

ServerContext Context(const PemPair& pair, int version = 0) {
  TlsSettings settings;
  settings.cert_chain_pem = pair.cert;
  settings.key_pem = pair.key;
  settings.min_version = version;
  settings.max_version = version;
  return MakeServerContext(settings);
}

void AddPair(const ServerContext& context, const PemPair& pair) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> cert_pem(BIO_new_mem_buf(pair.cert.data(), -1),
                                                           BIO_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> key_pem(BIO_new_mem_buf(pair.key.data(), -1),
                                                          BIO_free);
  X509* cert = PEM_read_bio_X509(cert_pem.get(), nullptr, nullptr, nullptr);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(key_pem.get(), nullptr, nullptr, nullptr);
  EXPECT_EQ(SSL_CTX_use_certificate(context.get(), cert), 1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey(context.get(), key), 1);
  X509_free(cert);
  EVP_PKEY_free(key);
}

ProbeTarget At(const Endpoint& endpoint) {
  ProbeTarget target;
  target.endpoint = endpoint;
  return target;
}

void UntilClosed(Transport& peer) {
  std::string in;
  while (peer.Read(in, 30s) == Wake::kData) in.clear();
}

TalkServer::Handler Tls(const ServerContext& context) {
  return [context](Transport& peer) {
    if (peer.Handshake(context.get(), 30s)) UntilClosed(peer);
  };
}

// The records that a server answers a ClientHello with; `client` is where it reads it.
std::vector<std::string> FirstFlight(SSL_CTX* context, Transport& client) {
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context), SSL_free);
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_accept_state(ssl.get());
  std::string hello;
  client.Read(hello, 30s);
  BIO_write(SSL_get_rbio(ssl.get()), hello.data(), static_cast<int>(hello.size()));
  ERR_clear_error();
  SSL_do_handshake(ssl.get());
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(SSL_get_wbio(ssl.get()), &bytes);
  std::string_view left(bytes, static_cast<size_t>(size));
  std::vector<std::string> records;
  while (left.size() >= 5) {
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(left[i]); };
    const size_t length = 5 + (static_cast<size_t>(byte(3)) << 8 | byte(4));
    records.emplace_back(left.substr(0, length));
    left.remove_prefix(length);
  }
  return records;
}

class TlsProbeTest : public EventLoopTest {
 protected:
  ProbeResult Probe(const ProbeTarget& target, KeyKind kind, Duration deadline = 30s) {
    ProbeResult result = Error{Code::kBug, "no result"};
    bool called = false;
    Handle probe = ProbeTls(*loop_, target, kind, deadline, [&](const ProbeResult& found) {
      EXPECT_FALSE(called);
      called = true;
      result = found ? ProbeResult(*found) : ProbeResult(found.error());
      probe.reset();
      loop_->Stop();
    });
    EXPECT_FALSE(called) << "from within the call";
    EXPECT_TRUE(Run());
    return result;
  }

  ProbeResult Probe(const TalkServer& server, KeyKind kind, Duration deadline = 30s) {
    return Probe(At(server.endpoint()), kind, deadline);
  }

  // The fingerprint, or the error.
  static std::string Shown(const ProbeResult& result) {
    return result ? HexLower(result->sha256) : result.error().text;
  }
};

TEST_F(TlsProbeTest, ShowsTheLeafOfEveryKindInBothVersions) {
  const struct {
    KeyType type;
    KeyKind kind;
  } cases[] = {
      {KeyType::kRsa2048, KeyKind::kRsa},         {KeyType::kRsaPss2048, KeyKind::kRsaPss},
      {KeyType::kRsaPssSha384, KeyKind::kRsaPss}, {KeyType::kEcP256, KeyKind::kP256},
      {KeyType::kEcP384, KeyKind::kP384},         {KeyType::kEcP521, KeyKind::kP521},
      {KeyType::kEd25519, KeyKind::kEd25519},
  };
  for (const auto& [type, kind] : cases) {
    const PemPair pair = Issue(type);
    const auto facts = ReadLeaf(pair.cert);
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->key_kind, kind);
    for (const int version : kVersions) {
      const TalkServer server(Tls(Context(pair, version)));
      for (const KeyKind asked : {kind, KeyKind::kOther}) {
        const ProbeResult result = Probe(server, asked);
        ASSERT_EQ(Shown(result), CertFingerprint(pair.cert)) << static_cast<int>(type) << version;
        EXPECT_EQ(result->not_before, facts->not_before);
        EXPECT_EQ(result->not_after, facts->not_after);
        EXPECT_EQ(result->key_kind, kind);
      }
    }
  }
}

TEST_F(TlsProbeTest, AServerWithTwoCertificatesShowsTheKindAskedFor) {
  for (const int version : kVersions) {
    const ServerContext context = Context(Rsa(), version);
    AddPair(context, P256());
    const TalkServer server(Tls(context));
    EXPECT_EQ(Shown(Probe(server, KeyKind::kRsa)), CertFingerprint(Rsa().cert)) << version;
    EXPECT_EQ(Shown(Probe(server, KeyKind::kP256)), CertFingerprint(P256().cert)) << version;
  }
}

TEST_F(TlsProbeTest, AServerWithoutTheKindIsTold) {
  for (const int version : kVersions) {
    const TalkServer server(Tls(Context(Rsa(), version)));
    EXPECT_EQ(Shown(Probe(server, KeyKind::kP256)),
              server.endpoint().text +
                  " fails the TLS handshake: TLS alert 40: handshake failure: no cipher in common, "
                  "or it requires a certificate (offered: TLS 1.2 and 1.3, ECDSA P-256)")
        << version;
  }
}

TEST_F(TlsProbeTest, CountsTheLeafOfAServerThatRefusesUsWithoutACertificate) {
  for (const int version : kVersions) {
    TlsSettings settings;
    settings.cert_chain_pem = P256().cert;
    settings.key_pem = P256().key;
    settings.client_ca_pem = Authority().cert_pem();
    settings.min_version = version;
    settings.max_version = version;
    const ServerContext context = MakeServerContext(settings);
    bool accepted = false;
    {
      const TalkServer server([&](Transport& peer) {
        accepted = peer.Handshake(context.get(), 30s);
        UntilClosed(peer);
      });
      EXPECT_EQ(Shown(Probe(server, KeyKind::kP256)), CertFingerprint(P256().cert)) << version;
    }
    EXPECT_FALSE(accepted);
  }
}

// A SEC 1 key file of P-256 with the secret scalar of one key and the public point of another.
std::string ScalarOfOnePointOfOther(const std::string& one, const std::string& other) {
  constexpr size_t kScalar = 7;
  const std::string scalar = test::PemDer(test::TraditionalKeyPem(one)).substr(kScalar, 32);
  return test::PemBlock("EC PRIVATE KEY",
                        test::PemDer(test::TraditionalKeyPem(other)).replace(kScalar, 32, scalar));
}

TEST_F(TlsProbeTest, ALeafWhoseKeyTheServerDoesNotHoldIsNotCounted) {
  PemPair forged = P256();
  forged.key = ScalarOfOnePointOfOther(Issue(KeyType::kEcP256).key, P256().key);
  for (const int version : kVersions) {
    const TalkServer server(Tls(Context(forged, version)));
    EXPECT_THAT(Shown(Probe(server, KeyKind::kP256)),
                HasSubstr(" fails the TLS handshake: bad signature (offered: "))
        << version;
  }
}

// As a server of TLS 1.2 that stops after so many records, and then refuses us or falls silent.
TEST_F(TlsProbeTest, OnlyAProvedLeafCountsWhereverTheServerStops) {
  constexpr size_t kWholeFlight =
      4;  // ServerHello, Certificate, ServerKeyExchange, ServerHelloDone
  const ServerContext context = Context(P256(), TLS1_2_VERSION);
  for (size_t count = 0; count <= kWholeFlight; ++count) {
    for (const bool refuses : {true, false}) {
      const TalkServer server([&](Transport& peer) {
        const auto records = FirstFlight(context.get(), peer);
        ASSERT_EQ(records.size(), kWholeFlight);
        for (size_t i = 0; i < count; ++i) peer.Write(records[i]);
        if (refuses) peer.Write(std::string("\x15\x03\x03\x00\x02\x02\x28", 7));
        UntilClosed(peer);
      });
      const std::string shown =
          Shown(Probe(server, KeyKind::kP256, refuses ? 30s : Duration(100ms)));
      if (count == kWholeFlight) {
        EXPECT_EQ(shown, CertFingerprint(P256().cert));
      } else {
        EXPECT_THAT(shown, HasSubstr(refuses ? "TLS alert 40: " : "no answer from ")) << count;
      }
    }
  }
}

TEST_F(TlsProbeTest, AnyCutOfTheServersBytesShowsTheSame) {
  const ServerContext context = Context(P256(), TLS1_2_VERSION);
  const TalkServer server([&](Transport& peer) {
    std::string flight;
    for (const std::string& record : FirstFlight(context.get(), peer)) flight += record;
    for (const char byte : flight) peer.Write(std::string(1, byte));
    peer.CloseWithoutNotify();
  });
  EXPECT_EQ(Shown(Probe(server, KeyKind::kP256)), CertFingerprint(P256().cert));
}

TEST_F(TlsProbeTest, EachProbeIsAFullHandshakeAndSeesTheNewLeaf) {
  for (const int version : kVersions) {
    const ServerContext context = Context(P256(), version);
    const TalkServer server(Tls(context));
    EXPECT_EQ(Shown(Probe(server, KeyKind::kP256)), CertFingerprint(P256().cert));
    const PemPair renewed = Authority().IssueFor(P256().key, CertSpec());
    AddPair(context, renewed);
    EXPECT_EQ(Shown(Probe(server, KeyKind::kP256)), CertFingerprint(renewed.cert)) << version;
    EXPECT_EQ(SSL_CTX_sess_hits(context.get()), 0) << "sessions resumed";
  }
}

TEST_F(TlsProbeTest, AsksForTheNameOnlyIfOneIsGiven) {
  struct Names {
    SSL_CTX* other;
    std::string asked = "nobody came";
  };
  const PemPair other = Issue(KeyType::kEcP256);
  const ServerContext other_context = Context(other);
  const ServerContext context = Context(P256());
  Names names{other_context.get()};
  SSL_CTX_set_tlsext_servername_arg(context.get(), &names);
  SSL_CTX_set_tlsext_servername_callback(
      context.get(), +[](SSL* ssl, int*, void* argument) {
        auto* its = static_cast<Names*>(argument);
        const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
        its->asked = name == nullptr ? "" : name;
        if (its->asked == "other.example") SSL_set_SSL_CTX(ssl, its->other);
        return SSL_TLSEXT_ERR_OK;
      });
  const TalkServer server(Tls(context));
  EXPECT_EQ(Shown(Probe(server, KeyKind::kP256)), CertFingerprint(P256().cert));
  EXPECT_EQ(names.asked, "");
  ProbeTarget target = At(server.endpoint());
  target.sni = "other.example";
  EXPECT_EQ(Shown(Probe(target, KeyKind::kP256)), CertFingerprint(other.cert));
  EXPECT_EQ(names.asked, "other.example");
}

// --- what fails, and what is said then ---

TEST_F(TlsProbeTest, NobodyListens) {
  const Endpoint peer = test::RefusingEndpoint();
  EXPECT_EQ(Shown(Probe(At(peer), KeyKind::kRsa)),
            "cannot connect to " + peer.text + ": Connection refused; does the app listen there?");
}

TEST_F(TlsProbeTest, AStalledServerMeetsTheDeadline) {
  const TalkServer silent([](Transport& peer) { UntilClosed(peer); });
  EXPECT_EQ(Shown(Probe(silent, KeyKind::kRsa, 50ms)),
            "no answer from " + silent.endpoint().text +
                " within 50ms; is this the app's port for TLS, or does it need starttls=postgres?");
  const TalkServer endless([](Transport& peer) {
    // A record of 16 KiB that comes slowly.
    peer.Write(std::string("\x16\x03\x03\x40\x00", 5));
    while (peer.Write("x")) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  });
  EXPECT_THAT(Shown(Probe(endless, KeyKind::kRsa, 100ms)), StartsWith("no answer from "));
}

TEST_F(TlsProbeTest, AServerOfPlainHttpIsTold) {
  const TalkServer server([](Transport& peer) {
    std::string in;
    peer.Read(in, 30s);
    peer.Write("HTTP/1.1 400 Bad Request\r\n\r\n");
    UntilClosed(peer);
  });
  EXPECT_THAT(Shown(Probe(server, KeyKind::kEd25519)),
              HasSubstr("no TLS comes back: is this a port for plain http? (offered: "));
}

TEST_F(TlsProbeTest, AServerThatHangsUpIsTold) {
  const TalkServer server([](Transport& peer) {
    std::string in;
    peer.Read(in, 30s);
  });
  EXPECT_THAT(Shown(Probe(server, KeyKind::kRsa)), HasSubstr(" closed the connection; is this"));
}

TEST_F(TlsProbeTest, AServerOfAnOldTlsIsTold) {
  const TalkServer server(Tls(Context(Rsa(), TLS1_1_VERSION)));
  EXPECT_THAT(Shown(Probe(server, KeyKind::kRsa)),
              AnyOf(HasSubstr("TLS alert 70: protocol version (offered: TLS 1.2 and 1.3, RSA)"),
                    HasSubstr("no TLS version in common")));
}

TEST_F(TlsProbeTest, GarbageAndFloodsEndInAnError) {
  const TalkServer garbage([](Transport& peer) {
    for (int i = 0; i < 100 && peer.Write(std::string(16384, '\x16')); ++i) {
    }
    UntilClosed(peer);
  });
  EXPECT_FALSE(Probe(garbage, KeyKind::kRsa));
  const TalkServer warnings([](Transport& peer) {
    while (peer.Write(std::string("\x15\x03\x03\x00\x02\x01\x5a", 7))) {
    }
  });
  EXPECT_FALSE(Probe(warnings, KeyKind::kRsa));
}

TEST_F(TlsProbeTest, DestroyingTheHandleEndsItWithoutAWord) {
  const TalkServer silent([](Transport& peer) { UntilClosed(peer); });
  const ProbeTarget target = At(silent.endpoint());
  for (const Duration after : {Duration{}, Duration(10ms)}) {
    Handle probe = ProbeTls(*loop_, target, KeyKind::kRsa, 1h, [](const ProbeResult&) { FAIL(); });
    const Handle end = loop_->After(after, [&] { probe.reset(); });
    RunDue();
    EXPECT_EQ(probe, nullptr);
  }
}

// --- PostgreSQL ---

class PostgresProbeTest : public TlsProbeTest {
 protected:
  // What is shown of a server that answers the request with `answer` and then speaks TLS; its
  // address reads "SERVER".
  std::string ShownAfter(const std::string& answer) {
    std::string request;
    std::string shown;
    {
      const ServerContext context = Context(P256());
      const TalkServer server([&](Transport& peer) {
        peer.Read(request, 30s);
        peer.Write(answer);
        if (peer.Handshake(context.get(), 30s)) UntilClosed(peer);
      });
      ProbeTarget target = At(server.endpoint());
      target.postgres = true;
      shown = Shown(Probe(target, KeyKind::kP256));
      const std::string where = server.endpoint().text;
      if (shown.starts_with(where)) shown.replace(0, where.size(), "SERVER");
    }
    EXPECT_EQ(request, kPostgresSslRequest) << "and nothing before the answer";
    return shown;
  }
};

TEST_F(PostgresProbeTest, TlsBeginsAfterTheServerAgrees) {
  EXPECT_EQ(ShownAfter("S"), CertFingerprint(P256().cert));
}

TEST_F(PostgresProbeTest, ARefusalIsTold) {
  EXPECT_EQ(ShownAfter("N"), "SERVER answers N: ssl is off; set ssl = on in postgresql.conf");
  EXPECT_EQ(ShownAfter("Esome error"), "SERVER answers with an error instead of TLS: see its log");
  EXPECT_EQ(ShownAfter("HTTP/1.1 400 Bad Request"),
            "SERVER does not answer as PostgreSQL: is starttls=postgres right?");
}

TEST_F(PostgresProbeTest, BytesInjectedBehindTheAnswerAreRefused) {
  EXPECT_EQ(ShownAfter("SR"), "SERVER sends bytes behind its S that no TLS protects: refused");
}

TEST_F(PostgresProbeTest, AServerThatHangsUpIsTold) {
  const TalkServer server([](Transport& peer) {
    std::string in;
    peer.Read(in, 30s);
  });
  ProbeTarget target = At(server.endpoint());
  target.postgres = true;
  EXPECT_THAT(Shown(Probe(target, KeyKind::kRsa)), HasSubstr(" closed the connection"));
}

}  // namespace
}  // namespace certlatch

// Versions, cipher suites, groups and signatures of the handshake.
#include <openssl/ssl.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "test/conformance/twins.h"

namespace certlatch::test {
namespace {

class Handshake : public Twins {
 protected:
  TlsSettings Only(int version) {
    TlsSettings settings;
    settings.min_version = settings.max_version = version;
    return settings;
  }
  void Offer(const TlsSettings& settings, const std::string& kind = "EC:P-256") {
    Present(Issue(root(), {}, NewKey(kind)), "", settings);
  }
  // What each of both offers first: the bodies of their ClientHellos, the small binary's first.
  std::vector<Record> Hellos(const std::vector<Record>& records) {
    std::vector<Record> hellos;
    for (const Record& record : records) {
      const std::vector<int> types = HandshakeTypes(record);
      if (!record.from_server && !types.empty() && types.front() == SSL3_MT_CLIENT_HELLO) {
        hellos.push_back(record);
      }
    }
    return hellos;
  }
};

// --- versions ---

TEST_F(Handshake, SpeaksTls12And13) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SCOPED_TRACE(version);
    Offer(Only(version));
    ExpectTaken();
  }
}

TEST_F(Handshake, RefusesTls11And10) {
  for (const int version : {TLS1_1_VERSION, TLS1_VERSION}) {
    SCOPED_TRACE(version);
    TlsSettings old = Only(version);
    old.tune = [](SSL_CTX* context) { SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0"); };
    Offer(old, "RSA:2048");
    ExpectRefused("TLS alert 70: protocol version");
  }
}

// A server that speaks nothing newer answers with its own version.
TEST_F(Handshake, RefusesAServerHelloOfAnOldVersion) {
  for (const char minor : {'\0', '\1', '\2', '\5'}) {
    SCOPED_TRACE(static_cast<int>(minor));
    Offer(Only(TLS1_2_VERSION));
    RecordProxy proxy(api().server().port(), [&](const Record& record) {
      Passage passage{record.bytes};
      const std::vector<int> types = HandshakeTypes(record);
      if (record.from_server && !types.empty() && types.front() == SSL3_MT_SERVER_HELLO) {
        passage.bytes[kRecordHeader + 4 + 1] = minor;
        passage.bytes[2] = minor;
      }
      return passage;
    });
    ExpectRefusedAt(proxy.url(), "no TLS version in common");
  }
}

// Someone between the two strips TLS 1.3 from the offer; the server, which knows it, leaves its
// mark in the random bytes of TLS 1.2 (RFC 8446, section 4.1.3).
TEST_F(Handshake, NoticesThatTls13WasStripped) {
  Offer({});
  RecordProxy proxy(api().server().port(), [](const Record& record) {
    Passage passage{record.bytes};
    const std::string supported_versions("\x00\x2b\x00\x05\x04\x03\x04\x03\x03", 9);
    const size_t at = passage.bytes.find(supported_versions);
    if (!record.from_server && at != std::string::npos) passage.bytes[at] = 0x7f;
    return passage;
  });
  ExpectRefusedAt(proxy.url(), "something on the way lowers the TLS version");
  bool marked = false;
  for (const Record& record : proxy.seen()) {
    marked |= record.from_server && record.bytes.find("DOWNGRD\x01") != std::string::npos;
  }
  EXPECT_TRUE(marked) << "the server left no mark: this test proves nothing";
}

// --- cipher suites ---

struct SuiteCase {
  const char* name;
  int version;
  const char* key;
};
void PrintTo(const SuiteCase& one, std::ostream* out) { *out << one.name; }

class Suites : public Handshake, public testing::WithParamInterface<SuiteCase> {
 protected:
  void OfferSuite() {
    TlsSettings settings = Only(GetParam().version);
    settings.tune = [](SSL_CTX* context) {
      const std::string list = std::string(GetParam().name) + ":@SECLEVEL=0";
      ASSERT_EQ(GetParam().version == TLS1_3_VERSION
                    ? SSL_CTX_set_ciphersuites(context, GetParam().name)
                    : SSL_CTX_set_cipher_list(context, list.c_str()),
                1);
      SSL_CTX_set_dh_auto(context, 1);
    };
    Offer(settings, GetParam().key);
  }
};

class Offered : public Suites {};
TEST_P(Offered, AreSpoken) {
  OfferSuite();
  ExpectTaken();
}
INSTANTIATE_TEST_SUITE_P(
    Handshakes, Offered,
    testing::Values(SuiteCase{"TLS_AES_128_GCM_SHA256", TLS1_3_VERSION, "EC:P-256"},
                    SuiteCase{"TLS_AES_256_GCM_SHA384", TLS1_3_VERSION, "EC:P-256"},
                    SuiteCase{"TLS_CHACHA20_POLY1305_SHA256", TLS1_3_VERSION, "EC:P-256"},
                    SuiteCase{"ECDHE-ECDSA-AES128-GCM-SHA256", TLS1_2_VERSION, "EC:P-256"},
                    SuiteCase{"ECDHE-ECDSA-AES256-GCM-SHA384", TLS1_2_VERSION, "EC:P-384"},
                    SuiteCase{"ECDHE-ECDSA-CHACHA20-POLY1305", TLS1_2_VERSION, "ED25519"},
                    SuiteCase{"ECDHE-RSA-AES128-GCM-SHA256", TLS1_2_VERSION, "RSA:2048"},
                    SuiteCase{"ECDHE-RSA-AES256-GCM-SHA384", TLS1_2_VERSION, "RSA:4096"},
                    SuiteCase{"ECDHE-RSA-CHACHA20-POLY1305", TLS1_2_VERSION, "RSA-PSS:2048"}));

// CBC, CCM and finite-field Diffie-Hellman: what no API server of the last ten years insists on.
class NotOffered : public Suites {};
TEST_P(NotOffered, AreRefusedByTheSmallBinaryOnly) {
  OfferSuite();
  ExpectOnlyTheWholeTakes();
}
INSTANTIATE_TEST_SUITE_P(
    Handshakes, NotOffered,
    testing::Values(SuiteCase{"ECDHE-ECDSA-AES128-SHA", TLS1_2_VERSION, "EC:P-256"},
                    SuiteCase{"ECDHE-RSA-AES256-SHA384", TLS1_2_VERSION, "RSA:2048"},
                    SuiteCase{"DHE-RSA-AES128-GCM-SHA256", TLS1_2_VERSION, "RSA:2048"}));

class OfNobody : public Suites {};
TEST_P(OfNobody, AreRefusedByBoth) {
  OfferSuite();
  ExpectRefused("TLS alert 40: handshake failure");
}
INSTANTIATE_TEST_SUITE_P(
    Handshakes, OfNobody,
    testing::Values(SuiteCase{"ECDHE-RSA-NULL-SHA", TLS1_2_VERSION, "RSA:2048"},
                    SuiteCase{"AECDH-AES128-SHA", TLS1_2_VERSION, "RSA:2048"},
                    SuiteCase{"TLS_AES_128_CCM_SHA256", TLS1_3_VERSION, "EC:P-256"}));

// --- groups ---

struct GroupCase {
  const char* name;
  bool retry;  // TLS 1.3: the first ClientHello has no share of it
};
void PrintTo(const GroupCase& one, std::ostream* out) { *out << one.name; }

class Groups : public Handshake, public testing::WithParamInterface<GroupCase> {};

TEST_P(Groups, AreAgreedOn) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SCOPED_TRACE(version == TLS1_2_VERSION ? "TLS 1.2" : "TLS 1.3");
    TlsSettings settings = Only(version);
    settings.tune = [](SSL_CTX* context) {
      ASSERT_EQ(SSL_CTX_set1_groups_list(context, GetParam().name), 1);
    };
    Offer(settings);
    RecordProxy proxy(api().server().port(),
                      [](const Record& record) { return Passage{record.bytes}; });
    ExpectTakenAt(proxy.url());
    const bool twice = GetParam().retry && version == TLS1_3_VERSION;
    EXPECT_EQ(Hellos(proxy.seen()).size(), twice ? 4U : 2U) << "of both binaries together";
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Groups,
                         testing::Values(GroupCase{"X25519", false}, GroupCase{"P-256", true},
                                         GroupCase{"P-384", true}));

TEST_F(Handshake, RefusesGroupsThatItDoesNotOffer) {
  for (const char* group : {"P-521", "X448", "ffdhe2048"}) {
    SCOPED_TRACE(group);
    TlsSettings settings = Only(TLS1_3_VERSION);
    settings.tune = [&](SSL_CTX* context) {
      ASSERT_EQ(SSL_CTX_set1_groups_list(context, group), 1);
    };
    Offer(settings);
    ExpectOnlyTheWholeTakes();
  }
}

// A second HelloRetryRequest, or one for a group that was offered with a share, is a fault of the
// server (RFC 8446, section 4.1.4).
TEST_F(Handshake, RefusesASecondRetry) {
  TlsSettings settings = Only(TLS1_3_VERSION);
  settings.tune = [](SSL_CTX* context) { SSL_CTX_set1_groups_list(context, "P-384"); };
  Offer(settings);
  std::string retry;
  RecordProxy proxy(api().server().port(), [&](const Record& record) {
    const std::vector<int> types = HandshakeTypes(record);
    if (record.from_server && !types.empty() && types.front() == SSL3_MT_SERVER_HELLO) {
      if (record.number == 1) retry = record.bytes;
      if (record.number > 1) return Passage{retry};
    }
    return Passage{record.bytes};
  });
  ExpectRefusedAt(proxy.url(), "TLS connect error: error:");
}

// --- signatures of the handshake ---

TEST_F(Handshake, ReadsEachSchemeOfSignatures) {
  const struct {
    const char* key;
    const char* scheme;
    bool in_13;
  } cases[] = {{"RSA:2048", "rsa_pss_rsae_sha256", true},
               {"RSA:2048", "rsa_pss_rsae_sha384", true},
               {"RSA:4096", "rsa_pss_rsae_sha512", true},
               {"RSA-PSS:2048", "rsa_pss_pss_sha256", true},
               {"RSA-PSS:2048", "rsa_pss_pss_sha512", true},
               {"RSA:2048", "RSA+SHA256", false},
               {"RSA:2048", "RSA+SHA384", false},
               {"RSA:2048", "RSA+SHA512", false},
               {"EC:P-256", "ECDSA+SHA256", true},
               {"EC:P-384", "ECDSA+SHA384", true},
               {"EC:P-384", "ECDSA+SHA512", false},
               {"ED25519", "ed25519", true}};
  for (const auto& one : cases) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      if (version == TLS1_3_VERSION && !one.in_13) continue;
      SCOPED_TRACE(one.scheme + std::string(version == TLS1_2_VERSION ? " 1.2" : " 1.3"));
      TlsSettings settings = Only(version);
      settings.tune = [&](SSL_CTX* context) {
        ASSERT_EQ(SSL_CTX_set1_sigalgs_list(context, one.scheme), 1) << one.scheme;
      };
      Offer(settings, one.key);
      ExpectTaken();
    }
  }
}

TEST_F(Handshake, RefusesSha1) {
  for (const char* key : {"RSA:2048", "EC:P-256"}) {
    SCOPED_TRACE(key);
    TlsSettings settings = Only(TLS1_2_VERSION);
    settings.tune = [](SSL_CTX* context) {
      SSL_CTX_set1_sigalgs_list(context, "RSA+SHA1:ECDSA+SHA1");
    };
    Offer(settings, key);
    ExpectRefused("TLS alert 40: handshake failure");
  }
}

// In TLS 1.2 the ServerKeyExchange is signed and in the clear.
TEST_F(Handshake, RefusesAKeyExchangeThatWasTamperedWith) {
  const struct {
    const char* key;
    size_t from_end;  // 1: in the signature; larger: in the key share
  } cases[] = {{"RSA:2048", 9}, {"RSA-PSS:2048", 9}, {"EC:P-256", 9}, {"EC:P-384", 9},
               {"ED25519", 9},  {"RSA:2048", 280},   {"ED25519", 80}};
  for (const auto& one : cases) {
    SCOPED_TRACE(one.key);
    TlsSettings settings = Only(TLS1_2_VERSION);
    // one message a record
    settings.tune = [](SSL_CTX* context) { SSL_CTX_set_max_send_fragment(context, 16384); };
    Offer(settings, one.key);
    int changed = 0;
    RecordProxy proxy(api().server().port(), [&](const Record& record) {
      Passage passage{record.bytes};
      const std::vector<int> types = HandshakeTypes(record);
      if (record.from_server && !types.empty() && types.front() == SSL3_MT_SERVER_KEY_EXCHANGE) {
        char& byte = passage.bytes[passage.bytes.size() - one.from_end];
        byte = static_cast<char>(byte ^ 0x04);
        ++changed;
      }
      return passage;
    });
    // Where it is noticed depends on the signature, which is another each time.
    ExpectRefusedAt(proxy.url(), "TLS connect error: error:", {}, Alike::kInDecision);
    EXPECT_EQ(changed, 2);
  }
}

// --- what else servers do ---

// The ServerHello with one extension more, without content.
std::string WithExtension(std::string record, int type) {
  const auto byte = [&](size_t at) { return static_cast<unsigned char>(record[at]); };
  const auto grow = [&](size_t at) {  // a number of two bytes, by the four that are added
    const int value = byte(at) * 256 + byte(at + 1) + 4;
    record[at] = static_cast<char>(value / 256);
    record[at + 1] = static_cast<char>(value % 256);
  };
  constexpr size_t kSessionId = kRecordHeader + 4 + 2 + 32;
  const size_t extensions = kSessionId + 1 + byte(kSessionId) + 3;  // after suite and compression
  const size_t end = extensions + 2 + byte(extensions) * size_t{256} + byte(extensions + 1);
  grow(3);                  // the record
  grow(kRecordHeader + 2);  // the message
  grow(extensions);
  record.insert(end, {static_cast<char>(type / 256), static_cast<char>(type % 256), 0, 0});
  return record;
}

struct UnaskedCase {
  const char* name;
  int type;
};
void PrintTo(const UnaskedCase& one, std::ostream* out) { *out << one.name; }

// Extensions of features that the small binary is built without, and that the twin knows.
class Unasked : public Handshake, public testing::WithParamInterface<UnaskedCase> {};

TEST_P(Unasked, ExtensionIsRefused) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SCOPED_TRACE(version == TLS1_2_VERSION ? "TLS 1.2" : "TLS 1.3");
    Offer(Only(version));
    RecordProxy proxy(api().server().port(), [](const Record& record) {
      const std::vector<int> types = HandshakeTypes(record);
      if (record.from_server && !types.empty() && types.front() == SSL3_MT_SERVER_HELLO) {
        return Passage{WithExtension(record.bytes, GetParam().type)};
      }
      return Passage{record.bytes};
    });
    ExpectRefusedAt(proxy.url(), "TLS connect error: error:");
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Unasked,
                         testing::Values(UnaskedCase{"Staple", TLSEXT_TYPE_status_request},
                                         UnaskedCase{"Srp", TLSEXT_TYPE_srp},
                                         UnaskedCase{"UseSrtp", TLSEXT_TYPE_use_srtp},
                                         UnaskedCase{"NextProtocol", TLSEXT_TYPE_next_proto_neg},
                                         UnaskedCase{"CertificateTimestamps",
                                                     TLSEXT_TYPE_signed_certificate_timestamp}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_F(Handshake, AsksForNoStapleAndRefusesOneUnasked) {
  Offer(Only(TLS1_2_VERSION));
  RecordProxy proxy(api().server().port(), [](const Record& record) {
    Passage passage{record.bytes};
    const std::vector<int> types = HandshakeTypes(record);
    if (record.from_server && !types.empty() && types.front() == SSL3_MT_SERVER_HELLO) {
      // the extension of renegotiation (ff01) becomes that of stapling (5)
      const size_t at = passage.bytes.find(std::string("\xff\x01\x00\x01\x00", 5));
      if (at != std::string::npos) passage.bytes.replace(at, 2, std::string("\x00\x05", 2));
    }
    return passage;
  });
  ExpectRefusedAt(proxy.url(), "TLS connect error: error:0A0000D9");
}

// Which of them it would take with our own certificate, a server may say.
TEST_F(Handshake, TakesARequestForCertificatesWithTimestamps) {
  TlsSettings settings = Only(TLS1_3_VERSION);
  settings.tune = [](SSL_CTX* context) {
    const auto nothing = [](SSL*, unsigned, unsigned, const unsigned char** bytes, size_t* length,
                            X509*, size_t, int*, void*) {
      *bytes = nullptr;
      *length = 0;
      return 1;
    };
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    ASSERT_EQ(SSL_CTX_add_custom_ext(context, TLSEXT_TYPE_signed_certificate_timestamp,
                                     SSL_EXT_TLS1_3_CERTIFICATE_REQUEST, nothing, nullptr, nullptr,
                                     nullptr, nullptr),
              1);
  };
  Offer(settings);
  ExpectTaken();
}

TEST_F(Handshake, RefusesACompressedCertificateUnasked) {
  Offer(Only(TLS1_2_VERSION));
  RecordProxy proxy(api().server().port(), [](const Record& record) {
    Passage passage{record.bytes};
    const std::vector<int> types = HandshakeTypes(record);
    if (record.from_server && !types.empty() && types.front() == SSL3_MT_CERTIFICATE) {
      passage.bytes[kRecordHeader] = 25;
    }
    return passage;
  });
  ExpectRefusedAt(proxy.url(), "TLS connect error: error:");
}

TEST_F(Handshake, OffersAServerNameOnlyWhereThereIsAName) {
  RecordProxy proxy(api().server().port(),
                    [](const Record& record) { return Passage{record.bytes}; });
  ExpectTakenAt(proxy.url());
  ExpectTakenAt(proxy.url(), {"--tls-server-name=localhost"});
  const std::vector<Record> hellos = Hellos(proxy.seen());
  EXPECT_EQ(std::count_if(hellos.begin(), hellos.end(),
                          [](const Record& hello) {
                            return hello.bytes.find("localhost") != std::string::npos;
                          }),
            2);
  for (const Record& hello : hellos) {
    EXPECT_EQ(hello.bytes.find("127.0.0.1"), std::string::npos);
  }
}

// --- OpenSSL 3.5's own server ---

class OwnServer : public Handshake {
 protected:
  // It answers every request with a page about the connection: no API, but a handshake.
  void Serve(const Args& extra) {
    const PemPair leaf = Leaf();
    Command command{WholeOpenssl()};
    command.argv = {"openssl",
                    "s_server",
                    "-accept",
                    "127.0.0.1:0",
                    "-www",
                    "-cert",
                    Write("server.crt", leaf.cert),
                    "-key",
                    Write("server.key", leaf.key)};
    command.argv.insert(command.argv.end(), extra.begin(), extra.end());
    command.env = {"PATH=/usr/bin:/bin"};
    auto started = Subprocess::Start(std::move(command));
    ASSERT_TRUE(started.has_value()) << started.error().text;
    server_ = *std::move(started);
    constexpr std::string_view kAccept = "ACCEPT 127.0.0.1:";
    ASSERT_TRUE(server_->WaitForStdout(kAccept, kHang)) << server_->Err();
    ASSERT_TRUE(server_->WaitForStdout("\n", kHang));
    const std::string out = server_->Out();
    const size_t at = out.find(kAccept) + kAccept.size();
    url_ = "https://127.0.0.1:" + out.substr(at, out.find_first_not_of("0123456789", at) - at);
  }
  const std::string& server_url() const { return url_; }

 private:
  std::unique_ptr<Subprocess> server_;
  std::string url_;
};

// The post-quantum hybrid comes first, as in Go's servers; the classic group is for those without.
TEST_F(OwnServer, OfTheLatestLibraryIsUnderstood) {
  Serve({"-groups", "X25519MLKEM768:X25519"});
  const Both both = DecideAt(server_url(), {});
  EXPECT_THAT(both.small.reason, testing::HasSubstr("JSON"));
  EXPECT_EQ(both.small.reason, both.whole.reason);
}

TEST_F(OwnServer, WithItsDefaultsIsUnderstood) {
  Serve({});
  const Both both = DecideAt(server_url(), {});
  EXPECT_THAT(both.small.reason, testing::HasSubstr("JSON"));
  EXPECT_EQ(both.small.reason, both.whole.reason);
}

}  // namespace
}  // namespace certlatch::test

#include "domain/cert_pair.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/wall_time.h"
#include "test/support/pki.h"

namespace certlatch {
namespace {

using test::Authority;
using test::CertAuthority;
using test::CertSpec;
using test::EncryptedKeyPem;
using test::KeyType;
using test::NewKeyPem;
using test::PemBlock;
using test::PemDer;
using test::PemPair;
using test::TraditionalKeyPem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr KeyType kGoodKinds[] = {KeyType::kEcP256,  KeyType::kEcP384,     KeyType::kEcP521,
                                  KeyType::kRsa2048, KeyType::kRsaPss2048, KeyType::kRsaPssSha384,
                                  KeyType::kEd25519};
constexpr const char* kMismatch =
    "tls.key and tls.crt do not belong together; cert-manager may be mid-issuance";

PemPair Issue(KeyType type, const std::string& name = "web") {
  CertSpec spec;
  spec.key = type;
  spec.common_name = name;
  spec.dns_names = {name};
  return Authority().Issue(spec);
}

const PemPair& Pair() {
  static const PemPair pair = Issue(KeyType::kEcP256);
  return pair;
}

// The text of the error; every one must suit a log line and the person who reads it.
std::string Refusal(const Result<CertFacts>& result) {
  EXPECT_FALSE(result.has_value());
  if (result.has_value()) return "";
  EXPECT_EQ(result.error().code, Code::kRetry);
  EXPECT_LT(result.error().text.size(), 200U);
  EXPECT_THAT(result.error().text, Not(HasSubstr("\n")));
  return result.error().text;
}

WallTime At(std::string_view rfc3339) { return *ParseWallTime(rfc3339); }

// --- PEM surgery ---

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string WithCrlf(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out += '\r';
    out += c;
  }
  return out;
}

// A SEC 1 key file of P-256 with the secret scalar of one key and the public point of another.
std::string ScalarOfOnePointOfOther(const std::string& one, const std::string& other) {
  constexpr size_t kScalar = 7;  // 30 77 | 02 01 01 | 04 20 | scalar
  const std::string scalar = PemDer(TraditionalKeyPem(one)).substr(kScalar, 32);
  return PemBlock("EC PRIVATE KEY", PemDer(TraditionalKeyPem(other)).replace(kScalar, 32, scalar));
}

// --- what belongs together ---

TEST(CertPair, AcceptsEveryKindOfKeyThatTlsServersUse) {
  for (const KeyType type : kGoodKinds) {
    const PemPair pair = Issue(type);
    const Result<CertFacts> facts = CheckPair(pair.cert, pair.key);
    ASSERT_TRUE(facts.has_value()) << static_cast<int>(type) << " " << facts.error().text;
    EXPECT_EQ(HexLower(facts->sha256), test::CertFingerprint(pair.cert));
  }
}

TEST(CertPair, AcceptsKeysInTheirTraditionalFormats) {
  for (const KeyType type :
       {KeyType::kEcP256, KeyType::kEcP384, KeyType::kEcP521, KeyType::kRsa2048}) {
    const PemPair pair = Issue(type);
    const std::string key = TraditionalKeyPem(pair.key);
    EXPECT_THAT(key, HasSubstr(type == KeyType::kRsa2048 ? "RSA PRIVATE" : "EC PRIVATE"));
    EXPECT_TRUE(CheckPair(pair.cert, key).has_value()) << key.substr(0, 40);
  }
}

TEST(CertPair, PassesOverTheEcParametersThatOpensslWritesInFrontOfAKey) {
  const std::string parameters =
      PemBlock("EC PARAMETERS", "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07");
  EXPECT_TRUE(CheckPair(Pair().cert, parameters + TraditionalKeyPem(Pair().key)).has_value());
}

TEST(CertPair, RefusesAnotherKeyOfTheSameKind) {
  for (const KeyType type : kGoodKinds) {
    EXPECT_EQ(Refusal(CheckPair(Issue(type).cert, NewKeyPem(type))), kMismatch);
  }
}

TEST(CertPair, RefusesAKeyOfAnotherKind) {
  std::vector<PemPair> pairs;
  for (const KeyType type : kGoodKinds) pairs.push_back(Issue(type));
  for (size_t i = 0; i < pairs.size(); ++i) {
    for (size_t j = 0; j < pairs.size(); ++j) {
      if (i != j) {
        EXPECT_EQ(Refusal(CheckPair(pairs[i].cert, pairs[j].key)), kMismatch);
      }
    }
  }
}

TEST(CertPair, IsNotFooledByAKeyFileThatCarriesTheLeafsPublicPoint) {
  const PemPair other = Issue(KeyType::kEcP256);
  const std::string forged = ScalarOfOnePointOfOther(other.key, Pair().key);
  EXPECT_TRUE(test::SamePublicKey(forged, Pair().key)) << "what a lazier check would compare";
  EXPECT_EQ(Refusal(CheckPair(Pair().cert, forged)), kMismatch);
}

TEST(CertPair, TrustsTheScalarWhenTheKeyFilesPublicPointIsForeign) {
  const PemPair other = Issue(KeyType::kEcP256);
  const std::string odd = ScalarOfOnePointOfOther(Pair().key, other.key);
  EXPECT_EQ(Refusal(CheckPair(other.cert, odd)), kMismatch);
  EXPECT_TRUE(CheckPair(Pair().cert, odd).has_value());
}

TEST(CertPair, AcceptsARenewalThatKeptItsKey) {
  const PemPair renewed = Authority().IssueFor(Pair().key, CertSpec());
  EXPECT_NE(renewed.cert, Pair().cert);
  EXPECT_TRUE(CheckPair(renewed.cert, Pair().key).has_value());
}

TEST(CertPair, TakesTheFirstCertificateAsTheLeaf) {
  CertSpec spec;
  spec.is_ca = true;
  spec.common_name = "intermediate";
  const PemPair middle = Authority().Issue(spec);
  const PemPair leaf = CertAuthority(middle).Issue(CertSpec());
  const std::string chain = leaf.cert + middle.cert + Authority().cert_pem();
  EXPECT_EQ(CheckPair(chain, leaf.key)->issuer, "CN=intermediate");
  EXPECT_EQ(Refusal(CheckPair(middle.cert + leaf.cert, leaf.key)), kMismatch);
  EXPECT_EQ(ReadLeaf(middle.cert + leaf.cert)->subject, "CN=intermediate");
}

TEST(CertPair, TakesTheFirstKeyOfTheKeyFile) {
  const std::string other = NewKeyPem(KeyType::kEcP256);
  EXPECT_TRUE(CheckPair(Pair().cert, Pair().key + other).has_value());
  EXPECT_EQ(Refusal(CheckPair(Pair().cert, other + Pair().key)), kMismatch);
}

TEST(CertPair, ReadsBothFromOneCombinedFileInEitherOrder) {
  for (const std::string& both : {Pair().cert + Pair().key, Pair().key + Pair().cert}) {
    EXPECT_TRUE(CheckPair(both, both).has_value());
  }
}

// --- what the leaf says ---

TEST(CertLeaf, SaysItsNamesDatesAndFingerprint) {
  CertSpec spec;
  spec.common_name = "web";
  spec.dns_names = {"web.default.svc", "*.example.org"};
  spec.ip_addresses = {"10.0.0.1", "fd00:0:0:0:0:0:0:1"};
  spec.not_before_at = At("2026-01-02T03:04:05Z");
  spec.not_after_at = At("2026-04-02T03:04:05Z");
  const PemPair pair = Authority().Issue(spec);
  const Result<CertFacts> facts = ReadLeaf(pair.cert);
  ASSERT_TRUE(facts.has_value()) << facts.error().text;
  EXPECT_EQ(facts->subject, "CN=web");
  EXPECT_EQ(facts->issuer, "CN=test CA");
  EXPECT_THAT(facts->dns_names, ElementsAre("web.default.svc", "*.example.org"));
  EXPECT_THAT(facts->ip_addresses, ElementsAre("10.0.0.1", "fd00::1"));
  EXPECT_EQ(facts->not_before, At("2026-01-02T03:04:05Z"));
  EXPECT_EQ(facts->not_after, At("2026-04-02T03:04:05Z"));
  EXPECT_EQ(facts->sha256, Sha256(test::CertDer(pair.cert)));
}

TEST(CertLeaf, NeedsNeitherASubjectNorAlternativeNames) {
  CertSpec spec;
  spec.common_name = "";
  const Result<CertFacts> facts = ReadLeaf(Authority().Issue(spec).cert);
  ASSERT_TRUE(facts.has_value());
  EXPECT_EQ(facts->subject, "");
  EXPECT_THAT(facts->dns_names, ElementsAre());
}

TEST(CertLeaf, ReadsDatesOnBothSidesOf2050AndAtTheEndsOfTime) {
  for (const char* date : {"0001-01-01T00:00:00Z", "1949-12-31T23:59:59Z", "1950-01-01T00:00:00Z",
                           "2049-12-31T23:59:59Z", "2050-01-01T00:00:00Z", "2262-04-12T00:00:00Z",
                           "9999-12-31T23:59:59Z"}) {
    CertSpec spec;
    spec.not_before_at = At(date);
    spec.not_after_at = At(date);
    const Result<CertFacts> facts = ReadLeaf(Authority().Issue(spec).cert);
    ASSERT_TRUE(facts.has_value()) << date << facts.error().text;
    EXPECT_EQ(FormatWallTime(facts->not_before), date);
    EXPECT_EQ(FormatWallTime(facts->not_after), date);
  }
}

TEST(CertLeaf, RefusesADateThatIsNone) {
  CertSpec spec;
  spec.not_after_at = At("2031-05-06T07:08:09Z");
  const std::string der = test::CertDer(Authority().Issue(spec).cert);
  for (const char* date : {"311306070809Z", "310231070809Z", "310506250809Z", "3105060708xxZ"}) {
    const std::string broken = Replaced(der, "310506070809Z", date);
    EXPECT_EQ(Refusal(ReadLeaf(PemBlock("CERTIFICATE", broken))),
              "tls.crt: the leaf's dates do not parse");
  }
}

TEST(CertLeaf, ShowsHostileNamesAsPrintableText) {
  CertSpec spec;
  spec.common_name = "we\nb\x1b[2J";
  spec.dns_names = {std::string("good.example\0.evil.example", 26), std::string(5000, 'a')};
  const Result<CertFacts> facts = ReadLeaf(Authority().Issue(spec).cert);
  ASSERT_TRUE(facts.has_value());
  EXPECT_EQ(facts->subject, "CN=we\\x0ab\\x1b[2J");
  EXPECT_EQ(facts->dns_names[0], "good.example\\x00.evil.example");
  EXPECT_LT(facts->dns_names[1].size(), 300U);
}

TEST(CertLeaf, RefusesMoreNamesThanAnyoneIssues) {
  CertSpec spec;
  spec.dns_names.assign(kMaxCertNames, "a.example");
  EXPECT_EQ(ReadLeaf(Authority().Issue(spec).cert)->dns_names.size(), kMaxCertNames);
  spec.dns_names.emplace_back("b.example");
  EXPECT_THAT(Refusal(ReadLeaf(Authority().Issue(spec).cert)), HasSubstr("more than 1024"));
}

TEST(CertLeaf, ShowsAnAddressOfAnImpossibleLengthInBytes) {
  CertSpec spec;
  spec.ip_addresses = {"10.1.2.3"};
  const std::string der = test::CertDer(Authority().Issue(spec).cert);
  // [7] 4 bytes inside a SEQUENCE of 6: read as [7] 3 bytes and an empty DNS name would be
  // malformed; so shrink it to [2] DNS of one byte and [7] of one byte.
  const std::string odd = Replaced(der, std::string_view("\x30\x06\x87\x04\x0a\x01\x02\x03", 8),
                                   std::string_view("\x30\x06\x82\x01x\x87\x01\x09", 8));
  const Result<CertFacts> facts = ReadLeaf(PemBlock("CERTIFICATE", odd));
  ASSERT_TRUE(facts.has_value()) << facts.error().text;
  EXPECT_THAT(facts->dns_names, ElementsAre("x"));
  EXPECT_THAT(facts->ip_addresses, ElementsAre("\\x09"));
}

TEST(CertLeaf, RefusesAlternativeNamesThatDoNotParse) {
  CertSpec spec;
  spec.ip_addresses = {"10.1.2.3"};
  const std::string der = test::CertDer(Authority().Issue(spec).cert);
  const std::string odd = Replaced(der, std::string_view("\x30\x06\x87\x04\x0a\x01\x02\x03", 8),
                                   std::string_view("\x30\x06\x87\x09\x0a\x01\x02\x03", 8));
  EXPECT_THAT(Refusal(ReadLeaf(PemBlock("CERTIFICATE", odd))),
              HasSubstr("alternative names do not parse"));
}

// --- how PEM files really look ---

TEST(CertFile, MayHaveWindowsLineEnds) {
  EXPECT_TRUE(CheckPair(WithCrlf(Pair().cert), WithCrlf(Pair().key)).has_value());
}

TEST(CertFile, MayHaveTextAroundItsBlocks) {
  const std::string cert = "subject=CN = web\nissuer=CN = test CA\n\n" + Pair().cert + "\n# end\n";
  EXPECT_TRUE(CheckPair(cert, "Bag Attributes\n    x: y\n" + Pair().key + "bye").has_value());
}

TEST(CertFile, MayLackItsLastLineEnd) {
  std::string cert = Pair().cert;
  cert.pop_back();
  EXPECT_TRUE(CheckPair(cert, Pair().key).has_value());
}

TEST(CertFile, MayHaveBlocksOfOtherKinds) {
  const std::string other = PemBlock("X509 CRL", "crl") + PemBlock("DH PARAMETERS", "dh");
  EXPECT_TRUE(CheckPair(other + Pair().cert + other, other + Pair().key + other).has_value());
}

TEST(CertFile, MustNotHaveCertificatesThatOnlySomeServersSee) {
  for (const char* label : {"TRUSTED CERTIFICATE", "X509 CERTIFICATE"}) {
    const std::string block = PemBlock(label, PemDer(Pair().cert));
    EXPECT_EQ(Refusal(ReadLeaf(block + Pair().cert)),
              "tls.crt holds a " + std::string(label) +
                  ", which only some TLS servers read; it must be a CERTIFICATE");
  }
}

TEST(CertFile, WithoutACertificateSaysSo) {
  EXPECT_EQ(Refusal(ReadLeaf("")), "tls.crt is empty");
  for (const std::string& text :
       {std::string("hello"), std::string(1, '\0'), std::string("\n\n"), Pair().key,
        PemBlock("X509 CRL", "crl"), PemDer(Pair().cert), std::string("-----BEGIN CERTIFICATE")}) {
    EXPECT_EQ(Refusal(ReadLeaf(text)), "tls.crt holds no PEM certificate");
  }
}

TEST(CertFile, CutOffAnywhereIsRefused) {
  const std::string& whole = Pair().cert;
  for (size_t size = 0; size + 1 < whole.size(); ++size) {
    EXPECT_FALSE(ReadLeaf(whole.substr(0, size)).has_value()) << size;
  }
  EXPECT_EQ(Refusal(ReadLeaf(whole.substr(0, 300))), "tls.crt: PEM block 1 is damaged or cut off");
}

TEST(CertFile, CutOffInItsChainNeverShowsAnotherLeaf) {
  const std::string chain = Pair().cert + Authority().cert_pem();
  size_t refused = 0;
  for (size_t size = Pair().cert.size(); size < chain.size(); size += 3) {
    const Result<CertFacts> facts = ReadLeaf(chain.substr(0, size));
    if (facts.has_value()) {
      EXPECT_EQ(HexLower(facts->sha256), test::CertFingerprint(Pair().cert));
    } else {
      ++refused;
    }
  }
  EXPECT_GT(refused, 100U);  // all but cuts in the BEGIN line, which read as text
}

TEST(CertFile, NamesTheCertificateThatDoesNotParse) {
  const std::string bad = PemBlock("CERTIFICATE", "\x30\x03\x02\x01\x01");
  EXPECT_EQ(Refusal(ReadLeaf(bad)), "tls.crt: certificate 1 of the chain does not parse");
  EXPECT_EQ(Refusal(ReadLeaf(Pair().cert + bad)),
            "tls.crt: certificate 2 of the chain does not parse");
}

TEST(CertFile, WithBytesAfterTheCertificateIsRefused) {
  EXPECT_EQ(Refusal(ReadLeaf(PemBlock("CERTIFICATE", PemDer(Pair().cert) + "x"))),
            "tls.crt: certificate 1 of the chain does not parse");
}

TEST(CertFile, WithEncryptionHeadersIsRefusedWithoutAskingForAPassword) {
  const std::string headers =
      "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n";
  EXPECT_EQ(Refusal(ReadLeaf(Replaced(Pair().cert, "-----BEGIN CERTIFICATE-----\n", headers))),
            "tls.crt: certificate 1 of the chain does not parse");
}

TEST(CertFile, IsBoundedInSizeAndLength) {
  std::string chain;
  for (size_t i = 0; i < kMaxChainLength; ++i) chain += Pair().cert;
  EXPECT_TRUE(ReadLeaf(chain).has_value());
  EXPECT_EQ(Refusal(ReadLeaf(chain + Pair().cert)), "tls.crt holds more than 64 certificates");
  const std::string padding(kMaxPemSize - Pair().cert.size(), '\n');
  EXPECT_TRUE(ReadLeaf(padding + Pair().cert).has_value());
  EXPECT_EQ(Refusal(ReadLeaf(padding + "\n" + Pair().cert)), "tls.crt is larger than 1 MiB");
  EXPECT_EQ(Refusal(CheckPair(Pair().cert, padding + "\n" + Pair().cert)),
            "tls.key is larger than 1 MiB");
}

TEST(CertFile, OfOneMebibyteOfAnythingIsAnsweredQuickly) {
  std::string begins;
  while (begins.size() + 28 < kMaxPemSize) begins += "-----BEGIN CERTIFICATE-----\n";
  std::string blocks;
  while (blocks.size() + 60 < kMaxPemSize) blocks += PemBlock("A", "x");
  for (const std::string& text : {begins, blocks, std::string(kMaxPemSize, '-'),
                                  std::string(kMaxPemSize, 'A'), std::string(kMaxPemSize, '\0')}) {
    EXPECT_FALSE(ReadLeaf(text).has_value());
    EXPECT_FALSE(CheckPair(Pair().cert, text).has_value());
  }
}

TEST(CertFile, IsCalledInErrorsWhatTheCallerCallsIt) {
  const PairNames names = {.cert = "server.pem", .key = "server-key.pem"};
  EXPECT_EQ(Refusal(ReadLeaf("", names)), "server.pem is empty");
  EXPECT_EQ(Refusal(CheckPair(Pair().cert, "", names)), "server-key.pem is empty");
  EXPECT_THAT(Refusal(CheckPair(Pair().cert, NewKeyPem(KeyType::kEcP256), names)),
              HasSubstr("server-key.pem and server.pem do not belong together"));
}

// --- the key file ---

TEST(KeyFile, WithoutAKeySaysSo) {
  EXPECT_EQ(Refusal(CheckPair(Pair().cert, "")), "tls.key is empty");
  for (const std::string& text : {std::string("hello"), Pair().cert, PemDer(Pair().key),
                                  PemBlock("EC PARAMETERS", "x"), PemBlock("PUBLIC KEY", "x")}) {
    EXPECT_EQ(Refusal(CheckPair(Pair().cert, text)), "tls.key holds no PEM private key");
  }
}

TEST(KeyFile, ThatIsEncryptedIsRefusedWithoutAskingForAPassword) {
  const char* encrypted = "tls.key is encrypted; TLS servers in pods need it plain";
  EXPECT_EQ(Refusal(CheckPair(Pair().cert, EncryptedKeyPem(Pair().key, "secret"))), encrypted);
  EXPECT_EQ(Refusal(CheckPair(Pair().cert, TraditionalKeyPem(Pair().key, "secret"))), encrypted);
}

TEST(KeyFile, CutOffAnywhereIsRefused) {
  for (const std::string& whole : {Pair().key, TraditionalKeyPem(Pair().key)}) {
    for (size_t size = 0; size + 1 < whole.size(); ++size) {
      EXPECT_FALSE(CheckPair(Pair().cert, whole.substr(0, size)).has_value()) << size;
    }
  }
}

TEST(KeyFile, OfGarbageIsRefused) {
  for (const char* label : {"PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"}) {
    for (const std::string& der :
         {std::string("garbage"), std::string("\x30\x00", 2),
          std::string("\x30\x84\xff\xff\xff\xff", 6), PemDer(Pair().cert)}) {
      EXPECT_EQ(Refusal(CheckPair(Pair().cert, PemBlock(label, der))),
                "tls.key: the private key does not parse");
    }
  }
}

TEST(KeyFile, TooLargeToBeAKeyIsRefusedBeforeItCostsTime) {
  EXPECT_EQ(Refusal(CheckPair(Pair().cert, PemBlock("RSA PRIVATE KEY", std::string(9000, '0')))),
            "tls.key holds a key larger than any that TLS servers use");
}

TEST(KeyFile, OfAKindThatTlsServersDoNotUseIsNamed) {
  const std::pair<KeyType, const char*> kinds[] = {{KeyType::kEd448, "ED448"},
                                                   {KeyType::kX25519, "X25519"},
                                                   {KeyType::kSm2, "SM2"},
                                                   {KeyType::kDsa1024, "DSA"}};
  for (const auto& [type, name] : kinds) {
    const PemPair pair = Issue(type);
    const auto refusal = AllOf(HasSubstr(name), HasSubstr("TLS servers need RSA, ECDSA"));
    EXPECT_THAT(Refusal(CheckPair(Pair().cert, pair.key)), AllOf(HasSubstr("tls.key"), refusal));
    EXPECT_THAT(Refusal(CheckPair(pair.cert, pair.key)), AllOf(HasSubstr("tls.crt"), refusal));
    EXPECT_TRUE(ReadLeaf(pair.cert).has_value());
  }
  EXPECT_THAT(Refusal(CheckPair(Pair().cert, TraditionalKeyPem(NewKeyPem(KeyType::kDsa1024)))),
              HasSubstr("DSA PRIVATE KEY"));
}

TEST(KeyFile, ThatSpellsItsCurveOutIsRefused) {
  const PemPair pair = Issue(KeyType::kEcP256Explicit);
  EXPECT_EQ(Refusal(CheckPair(pair.cert, pair.key)),
            "tls.crt spells its elliptic curve out; TLS needs a named curve");
  for (const std::string& key : {pair.key, TraditionalKeyPem(pair.key)}) {
    EXPECT_EQ(Refusal(CheckPair(Pair().cert, key)),
              "tls.key spells its elliptic curve out; TLS needs a named curve");
  }
}

TEST(KeyFile, OnACurveThatTlsDoesNotUseIsRefused) {
  const PemPair pair = Issue(KeyType::kEcSecp256k1);
  EXPECT_THAT(Refusal(CheckPair(Pair().cert, pair.key)),
              HasSubstr("tls.key holds a key of kind ECDSA on secp256k1; TLS servers need"));
  EXPECT_THAT(Refusal(CheckPair(pair.cert, pair.key)), HasSubstr("tls.crt holds a key of kind"));
}

TEST(KeyFile, OfATinyRsaKeyIsRefused) {
  const PemPair pair = Issue(KeyType::kRsa512);
  EXPECT_EQ(Refusal(CheckPair(Pair().cert, pair.key)),
            "tls.key holds an RSA key of 512 bits; certlatch takes 1024 to 8192");
  EXPECT_THAT(Refusal(CheckPair(pair.cert, pair.key)),
              HasSubstr("tls.crt holds an RSA key of 512"));
}

// --- OpenSSL's own state ---

TEST(CertPair, LeavesOpensslsErrorQueueEmpty) {
  const std::string bad = PemBlock("CERTIFICATE", "bad");
  const std::pair<std::string, std::string> inputs[] = {
      {Pair().cert, Pair().key},
      {"", ""},
      {"x", "x"},
      {bad, Pair().key},
      {Pair().cert, Pair().key.substr(0, 99)},
      {Pair().cert, NewKeyPem(KeyType::kEd25519)},
      {Pair().cert, PemBlock("PRIVATE KEY", "bad")}};
  for (const auto& [cert, key] : inputs) {
    ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR);
    (void)CheckPair(cert, key);
    EXPECT_EQ(ERR_peek_error(), 0U);
    (void)ReadLeaf(cert);
    EXPECT_EQ(ERR_peek_error(), 0U);
  }
}

TEST(CertPair, IsNotMisledByAnErrorThatSomeoneElseLeftBehind) {
  ERR_raise(ERR_LIB_PEM, PEM_R_NO_START_LINE);
  EXPECT_EQ(Refusal(ReadLeaf(Pair().cert.substr(0, 300))),
            "tls.crt: PEM block 1 is damaged or cut off");
}

// --- validity ---

CertFacts ValidFrom(std::string_view not_before, std::string_view not_after) {
  CertFacts facts;
  facts.not_before = At(not_before);
  facts.not_after = At(not_after);
  return facts;
}

struct Moment {
  const char* now;
  Validity validity;
  const char* changes_at;  // nullptr: never
};

void ExpectMoments(const CertFacts& facts, Duration min_validity,
                   std::initializer_list<Moment> moments) {
  for (const Moment& moment : moments) {
    const ValidityCheck check = CheckValidity(facts, At(moment.now), min_validity);
    EXPECT_EQ(check.validity, moment.validity) << moment.now;
    EXPECT_EQ(check.changes_at.has_value() ? FormatWallTime(*check.changes_at) : "never",
              moment.changes_at == nullptr ? "never" : moment.changes_at)
        << moment.now;
  }
}

TEST(CertValidity, HasBoundariesThatAreExactToTheSecond) {
  const CertFacts facts = ValidFrom("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
  ExpectMoments(facts, 1h,
                {{"2025-12-31T23:59:59Z", Validity::kNotYetValid, "2026-01-01T00:00:00Z"},
                 {"2026-01-01T00:00:00Z", Validity::kValid, "2026-01-01T23:00:00Z"},
                 {"2026-01-01T22:59:59Z", Validity::kValid, "2026-01-01T23:00:00Z"},
                 {"2026-01-01T23:00:00Z", Validity::kTooShort, "2026-01-02T00:00:01Z"},
                 {"2026-01-02T00:00:00Z", Validity::kTooShort, "2026-01-02T00:00:01Z"},
                 {"2026-01-02T00:00:01Z", Validity::kExpired, nullptr}});
}

TEST(CertValidity, EndsAtNotAfterWithoutAMinimum) {
  const CertFacts facts = ValidFrom("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
  for (const Duration none : {Duration::zero(), Duration(-1h), Duration::min()}) {
    ExpectMoments(facts, none,
                  {{"2026-01-01T23:59:59Z", Validity::kValid, "2026-01-02T00:00:00Z"},
                   {"2026-01-02T00:00:00Z", Validity::kTooShort, "2026-01-02T00:00:01Z"},
                   {"2026-01-02T00:00:01Z", Validity::kExpired, nullptr}});
  }
}

TEST(CertValidity, CountsAFractionOfASecondTowardsNeitherSide) {
  const CertFacts facts = ValidFrom("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
  ExpectMoments(facts, 1500ms,
                {{"2026-01-01T23:59:58Z", Validity::kValid, "2026-01-01T23:59:59Z"},
                 {"2026-01-01T23:59:59Z", Validity::kTooShort, "2026-01-02T00:00:01Z"}});
}

TEST(CertValidity, OfACertificateShorterThanTheMinimumIsNeverMet) {
  const CertFacts facts = ValidFrom("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
  ExpectMoments(facts, 48h,
                {{"2025-12-31T23:59:59Z", Validity::kNotYetValid, "2026-01-01T00:00:00Z"},
                 {"2026-01-01T00:00:00Z", Validity::kTooShort, "2026-01-02T00:00:01Z"}});
}

TEST(CertValidity, OfACertificateThatEndsBeforeItBeginsTurnsToExpired) {
  const CertFacts facts = ValidFrom("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z");
  ExpectMoments(facts, 0s,
                {{"2025-12-31T00:00:00Z", Validity::kNotYetValid, "2026-01-01T00:00:01Z"},
                 {"2026-01-01T12:00:00Z", Validity::kExpired, nullptr}});
}

TEST(CertValidity, WithstandsTheEndsOfTime) {
  const CertFacts facts = ValidFrom("0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z");
  EXPECT_EQ(CheckValidity(facts, At("2026-01-01T00:00:00Z"), Duration::max()).validity,
            Validity::kValid);
  EXPECT_EQ(CheckValidity(facts, WallTime::min(), Duration::max()).validity,
            Validity::kNotYetValid);
  EXPECT_EQ(CheckValidity(facts, WallTime::max(), Duration::max()).validity, Validity::kExpired);
}

// Whatever the answer, it stays until changes_at and is another one then.
TEST(CertValidity, ChangesExactlyWhenItSaidItWould) {
  for (const int from : {-2, 0, 3}) {
    for (const int to : {-3, 0, 2, 5}) {
      for (const Duration minimum : {Duration(0s), Duration(1s), Duration(2500ms), Duration(9s)}) {
        CertFacts facts;
        facts.not_before = WallTime(std::chrono::seconds(from));
        facts.not_after = WallTime(std::chrono::seconds(to));
        for (WallTime now(std::chrono::seconds(-10)); now < WallTime(10s); now += 1s) {
          const ValidityCheck check = CheckValidity(facts, now, minimum);
          const ValidityCheck next = CheckValidity(facts, now + 1s, minimum);
          EXPECT_EQ(check.validity != next.validity, check.changes_at == now + 1s);
          const bool met = facts.not_before <= now && now < facts.not_after - minimum;
          EXPECT_EQ(check.validity == Validity::kValid, met);
        }
      }
    }
  }
}

}  // namespace
}  // namespace certlatch

// Which servers the small binary trusts: exactly those that its untrimmed twin trusts.
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "test/conformance/twins.h"

namespace certlatch::test {
namespace {

using testing::HasSubstr;

constexpr char kNotTrusted[] = "is not trusted: ";

class Certificates : public Twins {
 protected:
  Shape Named(const std::string& names) {
    Shape shape;
    shape.extensions = LeafExtensions(names);
    return shape;
  }
  Shape LeafWith(const std::string& extension, const std::string& value) {
    Shape shape;
    shape.extensions = With(LeafExtensions(), extension, value);
    return shape;
  }
  Args As(const std::string& name) { return {"--tls-server-name=" + name}; }
  std::string Localhost() { return "https://localhost:" + std::to_string(api().server().port()); }
};

// --- keys ---

struct KeyCase {
  const char* name;
  const char* kind;
};
void PrintTo(const KeyCase& one, std::ostream* out) { *out << one.kind; }

class OfServers : public Certificates, public testing::WithParamInterface<KeyCase> {};

TEST_P(OfServers, AreTaken) {
  const PemPair leaf = Issue(root(), {}, NewKey(GetParam().kind));
  TlsSettings settings;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SCOPED_TRACE(version == TLS1_2_VERSION ? "TLS 1.2" : "TLS 1.3");
    settings.min_version = settings.max_version = version;
    Present(leaf, "", settings);
    ExpectTaken();
  }
}

TEST_P(OfServers, MustSignTheHandshakeThemselves) {
  const PemPair leaf = Issue(root(), {}, NewKey(GetParam().kind));
  const std::string kind = GetParam().kind;
  // another key of the kind and size; NewKey remembers those of RSA
  const std::string other = kind.starts_with("RSA") ? kind + " again" : kind;
  const PemPair stranger = Issue(root(), {}, NewKey(other));
  TlsSettings settings;
  // The context keeps the certificate that we change: the key that it then holds is not the
  // server's.
  settings.tune = [&](SSL_CTX* context) {
    X509* presented = SSL_CTX_get0_certificate(context);
    const std::unique_ptr<BIO, decltype(&BIO_free)> pem(
        BIO_new_mem_buf(stranger.cert.data(), static_cast<int>(stranger.cert.size())), BIO_free);
    const std::unique_ptr<BIO, decltype(&BIO_free)> ca(
        BIO_new_mem_buf(root().key.data(), static_cast<int>(root().key.size())), BIO_free);
    X509* cert = PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr);
    EVP_PKEY* issuer = PEM_read_bio_PrivateKey(ca.get(), nullptr, nullptr, nullptr);
    X509_set_pubkey(presented, X509_get0_pubkey(cert));
    X509_sign(presented, issuer, EVP_sha256());
    X509_free(cert);
    EVP_PKEY_free(issuer);
  };
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SCOPED_TRACE(version == TLS1_2_VERSION ? "TLS 1.2" : "TLS 1.3");
    settings.min_version = settings.max_version = version;
    Present(leaf, "", settings);
    ExpectRefused("TLS connect error: error:");
  }
}

TEST_P(OfServers, ProveClientsToo) {
  TlsSettings settings;
  settings.client_ca_pem = root().cert;
  Shape shape = LeafWith("extendedKeyUsage", "clientAuth");
  shape.subject = "waiter";
  const PemPair client = Issue(root(), shape, NewKey(GetParam().kind));
  const Args us = {"--client-certificate=" + Write("client.crt", client.cert),
                   "--client-key=" + Write("client.key", client.key)};
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SCOPED_TRACE(version == TLS1_2_VERSION ? "TLS 1.2" : "TLS 1.3");
    settings.min_version = settings.max_version = version;
    Present(Leaf(), "", settings);
    const size_t before = api().requests().size();
    ExpectTaken(us);
    ASSERT_GT(api().requests().size(), before);
    EXPECT_EQ(api().requests().back().client_common_name, "waiter");
  }
}

INSTANTIATE_TEST_SUITE_P(Keys, OfServers,
                         testing::Values(KeyCase{"Rsa2048", "RSA:2048"},
                                         KeyCase{"Rsa4096", "RSA:4096"},
                                         KeyCase{"RsaPss2048", "RSA-PSS:2048"},
                                         KeyCase{"P256", "EC:P-256"}, KeyCase{"P384", "EC:P-384"},
                                         KeyCase{"Ed25519", "ED25519"}),
                         [](const auto& test) { return std::string(test.param.name); });

// P-521 signs, but is no group of key exchange here; TLS 1.2 has one list for both.
TEST_F(Certificates, OfP521AreTakenInTls13) {
  const PemPair leaf = Issue(root(), {}, NewKey("EC:P-521"));
  TlsSettings settings;
  settings.min_version = TLS1_3_VERSION;
  Present(leaf, "", settings);
  ExpectTaken();
  settings.min_version = settings.max_version = TLS1_2_VERSION;
  Present(leaf, "", settings);
  ExpectOnlyTheWholeTakes();
}

// Keys that TLS clients do not take, in the certificate of a server that signs with another.
class Strange : public Certificates, public testing::WithParamInterface<KeyCase> {};

TEST_P(Strange, KeysAreErrors) {
  const PemPair leaf = Leaf();
  const PemPair strange = Issue(root(), {}, NewKey(GetParam().kind));
  TlsSettings settings;
  settings.tune = [&](SSL_CTX* context) {
    X509* presented = SSL_CTX_get0_certificate(context);
    const std::string der = CertDer(strange.cert);
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    // in place: the server's own checks are over
    d2i_X509(&presented, &at, static_cast<long>(der.size()));
  };
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SCOPED_TRACE(version == TLS1_2_VERSION ? "TLS 1.2" : "TLS 1.3");
    settings.min_version = settings.max_version = version;
    Present(leaf, "", settings);
    ExpectRefused("", {}, Alike::kInDecision);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Keys, Strange,
    testing::Values(KeyCase{"Rsa512", "RSA:512"}, KeyCase{"Rsa1024", "RSA:1024"},
                    KeyCase{"Dsa", "DSA"}, KeyCase{"Ed448", "ED448"}, KeyCase{"X25519", "X25519"},
                    KeyCase{"X448", "X448"}, KeyCase{"Secp256k1", "EC:secp256k1"},
                    KeyCase{"Brainpool", "EC:brainpoolP256r1"}, KeyCase{"P224", "EC:P-224"},
                    KeyCase{"BinaryCurve", "EC:sect283k1"}, KeyCase{"Sm2", "SM2"},
                    KeyCase{"P256SpelledOut", "EC:explicit"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(Certificates, OfRsa1024AreTooWeakEvenInAnIntermediate) {
  Shape shape;
  shape.subject = "weak";
  shape.extensions = CaExtensions();
  const PemPair weak = Issue(root(), shape, NewKey("RSA:1024"));
  Present(Issue(weak, {}, NewKey("EC:P-256")), weak.cert);
  ExpectRefused(kNotTrusted);
}

// --- names ---

TEST_F(Certificates, ForAnotherHostAreRefused) {
  Present(Leaf(Named("DNS:elsewhere.example")));
  ExpectRefusedAt(Localhost(), kNotTrusted);
}

TEST_F(Certificates, ForAnotherAddressAreRefused) {
  Present(Leaf(Named("IP:127.0.0.2,IP:::1,DNS:localhost")));
  ExpectRefused(kNotTrusted);
}

TEST_F(Certificates, WithAnAddressAsADnsNameAreRefused) {
  Present(Leaf(Named("DNS:127.0.0.1")));
  ExpectRefused(kNotTrusted);
}

TEST_F(Certificates, ForIpv6AddressesAreTaken) {
  Present(Leaf(Named("IP:::1")));
  const std::string port = std::to_string(api().server().port());
  ExpectTakenAt("https://[::1]:" + port);
  ExpectRefused(kNotTrusted);
}

TEST_F(Certificates, MatchNamesWithoutCase) {
  Present(Leaf(Named("DNS:LocalHost")));
  ExpectTakenAt(Localhost());
}

struct NameCase {
  const char* pattern;  // the only name in the certificate
  const char* host;
  bool taken;
};
void PrintTo(const NameCase& one, std::ostream* out) { *out << one.pattern << " " << one.host; }

class Names : public Certificates, public testing::WithParamInterface<NameCase> {};

TEST_P(Names, MatchAsTheTwinMatchesThem) {
  Present(Leaf(Named(std::string("DNS:") + GetParam().pattern)));
  if (GetParam().taken) {
    ExpectTaken(As(GetParam().host));
  } else {
    ExpectRefused(kNotTrusted, As(GetParam().host));
  }
}

INSTANTIATE_TEST_SUITE_P(Wildcards, Names,
                         testing::Values(NameCase{"*.example.com", "api.example.com", true},
                                         NameCase{"*.example.com", "API.Example.COM", true},
                                         NameCase{"*.example.com", "example.com", false},
                                         NameCase{"*.example.com", "a.b.example.com", false},
                                         NameCase{"*.example.com", "api.example.org", false},
                                         NameCase{"a*.example.com", "api.example.com", false},
                                         NameCase{"*i.example.com", "api.example.com", false},
                                         NameCase{"a.*.com", "a.example.com", false},
                                         NameCase{"*", "example", false},
                                         NameCase{"*.com", "example.com", false},
                                         NameCase{"*.*.com", "api.example.com", false},
                                         NameCase{"xn--*.example.com", "xn--a.example.com", false},
                                         NameCase{"*.example.com", "xn--a.example.com", true},
                                         NameCase{".example.com", "api.example.com", false},
                                         NameCase{"example.com.", "example.com", true},
                                         NameCase{"example.com", "example.com.", true}));

TEST_F(Certificates, WithACommonNameAndNoOtherAreJudgedAlike) {
  Shape shape = LeafWith("subjectAltName", "");
  shape.subject = "localhost";
  Present(Leaf(shape));
  const Both both = DecideAt(Localhost(), {});
  EXPECT_EQ(both.small.taken, both.whole.taken);
  EXPECT_EQ(both.small.reason, both.whole.reason);
}

TEST_F(Certificates, WithACommonNameAndOtherNamesCountTheOthersOnly) {
  Shape shape = Named("DNS:elsewhere.example");
  shape.subject = "localhost";
  Present(Leaf(shape));
  ExpectRefusedAt(Localhost(), kNotTrusted);
}

TEST_F(Certificates, WithAZeroByteInANameAreRefused) {
  const PemPair leaf = Leaf(Named("DNS:localhost@evil.example"));
  const std::string_view zero("localhost\0evil.example", 22);
  // the signature no longer fits, so it is made anew
  TlsSettings settings;
  settings.tune = [&](SSL_CTX* context) {
    X509* presented = SSL_CTX_get0_certificate(context);
    const std::string der = CertDer(WithBytes(leaf.cert, "localhost@evil.example", zero));
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    d2i_X509(&presented, &at, static_cast<long>(der.size()));
    const std::unique_ptr<BIO, decltype(&BIO_free)> ca(
        BIO_new_mem_buf(root().key.data(), static_cast<int>(root().key.size())), BIO_free);
    EVP_PKEY* issuer = PEM_read_bio_PrivateKey(ca.get(), nullptr, nullptr, nullptr);
    X509_sign(presented, issuer, EVP_sha256());
    EVP_PKEY_free(issuer);
  };
  Present(leaf, "", settings);
  ExpectRefusedAt(Localhost(), kNotTrusted);
}

// --- time, usage, extensions ---

TEST_F(Certificates, ThatHaveExpiredAreRefused) {
  Shape shape;
  shape.not_before = -48h;
  shape.not_after = -1h;
  Present(Leaf(shape));
  ExpectRefused("certificate has expired");
}

TEST_F(Certificates, ThatAreNotValidYetAreRefused) {
  Shape shape;
  shape.not_before = 1h;
  Present(Leaf(shape));
  ExpectRefused("certificate is not yet valid");
}

TEST_F(Certificates, OfClientsAreRefused) {
  Present(Leaf(LeafWith("extendedKeyUsage", "clientAuth")));
  ExpectRefused("unsuitable certificate purpose");
}

TEST_F(Certificates, ForAnyPurposeAreJudgedAlike) {
  Present(Leaf(LeafWith("extendedKeyUsage", "anyExtendedKeyUsage")));
  const Both both = DecideAt(url(), {});
  EXPECT_EQ(both.small.taken, both.whole.taken);
  EXPECT_EQ(both.small.reason, both.whole.reason);
}

TEST_F(Certificates, WithoutUsageAreTaken) {
  Shape shape = LeafWith("extendedKeyUsage", "");
  shape.extensions = With(shape.extensions, "keyUsage", "");
  Present(Leaf(shape));
  ExpectTaken();
}

TEST_F(Certificates, WhoseKeyIsForOtherThingsThanTlsAreRefused) {
  Present(Leaf(LeafWith("keyUsage", "critical,keyCertSign")));
  ExpectRefused("unsuitable certificate purpose");
}

TEST_F(Certificates, WithAnUnknownCriticalExtensionAreRefused) {
  Present(Leaf(LeafWith("1.3.6.1.4.1.99999.1", "critical,DER:0500")));
  ExpectRefused("unhandled critical extension");
}

TEST_F(Certificates, WithAnUnknownOrdinaryExtensionAreTaken) {
  Present(Leaf(LeafWith("1.3.6.1.4.1.99999.1", "DER:0500")));
  ExpectTaken();
}

// Each is known to the full library and unknown to the small one, whose tables are shorter.
TEST_F(Certificates, WithEveryOrdinaryExtensionOfTheWebAreTaken) {
  Shape shape;
  shape.extensions.insert(
      shape.extensions.end(),
      {{"certificatePolicies", "2.23.140.1.2.1"},
       {"authorityInfoAccess", "OCSP;URI:http://o.example,caIssuers;URI:http://c"},
       {"crlDistributionPoints", "URI:http://c.example/a.crl"},
       {"tlsfeature", "status_request"},
       {"nsComment", "made by hand"},
       {"nsCertType", "server"},
       {"subjectKeyIdentifier", "hash"},
       {"issuerAltName", "DNS:ca.example"},
       {"noCheck", "ignored"},
       {"1.3.6.1.4.1.11129.2.4.2", "DER:0402beef"}});  // SCTs
  Present(Leaf(shape));
  ExpectTaken();
}

TEST_F(Certificates, WithCriticalExtensionsThatVerificationReadsAreTaken) {
  Shape shape = LeafWith("extendedKeyUsage", "critical,serverAuth");
  shape.extensions =
      With(shape.extensions, "subjectAltName", "critical,IP:127.0.0.1,DNS:localhost");
  shape.extensions.emplace_back("certificatePolicies", "critical,1.2.3.4");
  Present(Leaf(shape));
  ExpectTaken();
}

TEST_F(Certificates, WithAnExtensionThatIsNotItsAsn1AreJudgedAlike) {
  for (const char* extension : {"basicConstraints", "keyUsage", "extendedKeyUsage"}) {
    SCOPED_TRACE(extension);
    Present(Leaf(LeafWith(extension, "DER:0402beef")));
    ExpectRefused("", {}, Alike::kToTheWord);
  }
}

TEST_F(Certificates, WithAnExtensionTwiceAreJudgedAlike) {
  Shape shape;
  shape.extensions.emplace_back("subjectAltName", "DNS:localhost,IP:127.0.0.1");
  Present(Leaf(shape));
  const Both both = DecideAt(url(), {});
  EXPECT_EQ(both.small.taken, both.whole.taken);
  EXPECT_EQ(both.small.reason, both.whole.reason);
}

// --- signatures ---

struct SignatureCase {
  const char* name;
  const char* issuer;  // the kind of key
  bool pss;
  const char* digest;
  bool taken;
};
void PrintTo(const SignatureCase& one, std::ostream* out) { *out << one.name; }

class Signatures : public Certificates, public testing::WithParamInterface<SignatureCase> {
 protected:
  PemPair Signed(const PemPair& issuer) {
    Shape shape;
    shape.pss = GetParam().pss;
    shape.digest = GetParam().digest;
    return Issue(issuer, shape, NewKey("EC:P-256"));
  }
};

TEST_P(Signatures, AreJudgedAlike) {
  const PemPair issuer = NewRoot("signer", GetParam().issuer);
  Trust(issuer.cert);
  Present(Signed(issuer));
  if (GetParam().taken) {
    ExpectTaken();
  } else {
    ExpectRefused("", {}, Alike::kInDecision);
  }
}

TEST_P(Signatures, ThatWereTamperedWithAreRefused) {
  const PemPair issuer = NewRoot("signer", GetParam().issuer);
  Trust(issuer.cert);
  PemPair leaf = Signed(issuer);
  leaf.cert = WithBrokenSignature(leaf.cert);
  Present(leaf);
  ExpectRefused("", {}, GetParam().taken ? Alike::kToTheWord : Alike::kInDecision);
}

TEST_P(Signatures, CoverTheWholeCertificate) {
  const PemPair issuer = NewRoot("signer", GetParam().issuer);
  Trust(issuer.cert);
  PemPair leaf = Signed(issuer);
  leaf.cert = WithBytes(leaf.cert, "localhost", "localhosT");
  Present(leaf);
  ExpectRefused("", {}, GetParam().taken ? Alike::kToTheWord : Alike::kInDecision);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, Signatures,
    testing::Values(SignatureCase{"RsaSha256", "RSA:2048", false, "SHA256", true},
                    SignatureCase{"RsaSha384", "RSA:2048", false, "SHA384", true},
                    SignatureCase{"RsaSha512", "RSA:4096", false, "SHA512", true},
                    SignatureCase{"RsaPssSha256", "RSA:2048", true, "SHA256", true},
                    SignatureCase{"RsaPssSha512", "RSA:2048", true, "SHA512", true},
                    SignatureCase{"RsaPssKey", "RSA-PSS:2048", true, "SHA384", true},
                    SignatureCase{"P256Sha256", "EC:P-256", false, "SHA256", true},
                    SignatureCase{"P256Sha512", "EC:P-256", false, "SHA512", true},
                    SignatureCase{"P384Sha384", "EC:P-384", false, "SHA384", true},
                    SignatureCase{"P521Sha512", "EC:P-521", false, "SHA512", true},
                    SignatureCase{"Ed25519", "ED25519", false, "SHA512", true},
                    SignatureCase{"RsaMd5", "RSA:2048", false, "MD5", false},
                    SignatureCase{"RsaSha1", "RSA:2048", false, "SHA1", false},
                    SignatureCase{"RsaPssSha1", "RSA:2048", true, "SHA1", false},
                    SignatureCase{"P256Sha1", "EC:P-256", false, "SHA1", false},
                    SignatureCase{"Rsa512Sha256", "RSA:512", false, "SHA256", false},
                    SignatureCase{"Rsa1024Sha256", "RSA:1024", false, "SHA256", false}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(Certificates, SignedWithAnUnknownAlgorithmAreRefused) {
  PemPair leaf = Leaf();
  const std::string ecdsa_with_sha256("\x2a\x86\x48\xce\x3d\x04\x03\x02", 8);
  leaf.cert =
      WithBytes(leaf.cert, ecdsa_with_sha256, std::string("\x2a\x86\x48\xce\x3d\x04\x03\x77", 8));
  Present(leaf);
  ExpectRefused(kNotTrusted);
}

TEST_F(Certificates, SignedWithAnAlgorithmThatIsNotTheIssuersAreRefused) {
  PemPair leaf = Leaf();
  // says RSA-less "ecdsa-with-SHA384": the digest is another
  const std::string ecdsa_with_sha256("\x2a\x86\x48\xce\x3d\x04\x03\x02", 8);
  leaf.cert =
      WithBytes(leaf.cert, ecdsa_with_sha256, std::string("\x2a\x86\x48\xce\x3d\x04\x03\x03", 8));
  Present(leaf);
  ExpectRefused("");
}

// --- chains ---

TEST_F(Certificates, OfAnotherAuthorityAreRefused) {
  const PemPair stranger = NewRoot("stranger");
  Present(Issue(stranger, {}, NewKey("EC:P-256")));
  ExpectRefused(kNotTrusted);
}

TEST_F(Certificates, OfAnotherAuthorityOfTheSameNameAreRefused) {
  const PemPair stranger = NewRoot("root");
  Present(Issue(stranger, {}, NewKey("EC:P-256")), stranger.cert);
  ExpectRefused("");
}

TEST_F(Certificates, ThatAreSelfSignedAreRefused) {
  Present(SelfSigned({}, NewKey("EC:P-256")));
  ExpectRefused(kNotTrusted);
}

TEST_F(Certificates, ThatAreSelfSignedAndTrustedAreTaken) {
  Shape shape;
  const PemPair own = SelfSigned(shape, NewKey("EC:P-256"));
  Trust(own.cert);
  Present(own);
  const Both both = DecideAt(url(), {});
  EXPECT_EQ(both.small.taken, both.whole.taken);
  EXPECT_EQ(both.small.reason, both.whole.reason);
}

TEST_F(Certificates, BehindOneIntermediateAreTaken) {
  const PemPair first = NewCa(root(), "first");
  Present(Issue(first, {}, NewKey("EC:P-256")), first.cert);
  ExpectTaken();
}

TEST_F(Certificates, BehindTwoIntermediatesInAnyOrderAreTaken) {
  const PemPair first = NewCa(root(), "first");
  const PemPair second = NewCa(first, "second");
  const PemPair leaf = Issue(second, {}, NewKey("EC:P-256"));
  Present(leaf, second.cert + first.cert);
  ExpectTaken();
  Present(leaf, first.cert + second.cert);
  ExpectTaken();
  Present(leaf, NewRoot("chaff").cert + first.cert + second.cert + root().cert);
  ExpectTaken();
}

TEST_F(Certificates, BehindAMissingIntermediateAreRefused) {
  const PemPair first = NewCa(root(), "first");
  const PemPair second = NewCa(first, "second");
  const PemPair leaf = Issue(second, {}, NewKey("EC:P-256"));
  Present(leaf, second.cert);
  ExpectRefused("unable to get local issuer certificate");
  Present(leaf, first.cert);
  ExpectRefused(kNotTrusted);
}

TEST_F(Certificates, OfATrustedIntermediateAreJudgedAlike) {
  const PemPair first = NewCa(root(), "first");
  Trust(first.cert);
  Present(Issue(first, {}, NewKey("EC:P-256")));
  const Both both = DecideAt(url(), {});
  EXPECT_EQ(both.small.taken, both.whole.taken);
  EXPECT_EQ(both.small.reason, both.whole.reason);
}

// The same authority, signed by the old root and by the new one.
TEST_F(Certificates, ThatAreCrossSignedAreTakenByEitherWay) {
  const PemPair other_root = NewRoot("other root");
  Shape shape;
  shape.subject = "crossed";
  shape.extensions = CaExtensions();
  const std::string key = NewKey("EC:P-256");
  const PemPair by_us = Issue(root(), shape, key);
  const PemPair by_other = Issue(other_root, shape, key);
  const PemPair leaf = Issue(by_us, {}, NewKey("EC:P-256"));
  Present(leaf, by_us.cert + by_other.cert);
  ExpectTaken();
  Present(leaf, by_other.cert + by_us.cert);
  Trust(other_root.cert);
  ExpectTaken();
  Trust(NewRoot("third").cert);
  ExpectRefused(kNotTrusted);
}

TEST_F(Certificates, OfAnExpiredIntermediateAreRefused) {
  Shape shape;
  shape.subject = "old";
  shape.extensions = CaExtensions();
  shape.not_before = -48h;
  shape.not_after = -1h;
  const PemPair old = Issue(root(), shape, NewKey("EC:P-256"));
  Present(Issue(old, {}, NewKey("EC:P-256")), old.cert);
  ExpectRefused("certificate has expired");
}

struct AuthorityCase {
  const char* name;
  Extensions extensions;
  bool taken;
};
void PrintTo(const AuthorityCase& one, std::ostream* out) { *out << one.name; }

class Authorities : public Certificates, public testing::WithParamInterface<AuthorityCase> {};

TEST_P(Authorities, AreJudgedAlike) {
  const PemPair authority = NewCa(root(), "authority", GetParam().extensions);
  const PemPair below = NewCa(authority, "below");
  if (GetParam().taken) {
    Present(Issue(below, {}, NewKey("EC:P-256")), below.cert + authority.cert);
    ExpectTaken();
  } else {
    Present(Issue(below, {}, NewKey("EC:P-256")), below.cert + authority.cert);
    ExpectRefused(kNotTrusted);
  }
}

// As the root itself, where a missing basicConstraints counts, too.
TEST_P(Authorities, AreJudgedAlikeAsRoots) {
  Shape shape;
  shape.subject = "top";
  shape.extensions = GetParam().extensions;
  const PemPair top = SelfSigned(shape, NewKey("EC:P-256"));
  const PemPair below = NewCa(top, "below");
  Trust(top.cert);
  Present(Issue(below, {}, NewKey("EC:P-256")), below.cert);
  const Both both = DecideAt(url(), {});
  EXPECT_EQ(both.small.taken, both.whole.taken);
  EXPECT_EQ(both.small.reason, both.whole.reason);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, Authorities,
    testing::Values(
        AuthorityCase{"Sound", CaExtensions(), true},
        AuthorityCase{"NotCritical", CaExtensions("CA:TRUE"), true},
        AuthorityCase{"CaFalse", CaExtensions("critical,CA:FALSE"), false},
        AuthorityCase{"NoBasicConstraints", With(CaExtensions(), "basicConstraints", ""), false},
        AuthorityCase{"NoExtensions", {}, false},
        AuthorityCase{"PathLengthOne", CaExtensions("critical,CA:TRUE,pathlen:1"), true},
        AuthorityCase{"PathLengthZero", CaExtensions("critical,CA:TRUE,pathlen:0"), false},
        AuthorityCase{"NoKeyUsage", With(CaExtensions(), "keyUsage", ""), true},
        AuthorityCase{"MayNotSignCertificates",
                      With(CaExtensions(), "keyUsage", "critical,digitalSignature,cRLSign"), false},
        AuthorityCase{"ForServers", With(CaExtensions(), "extendedKeyUsage", "serverAuth"), true},
        AuthorityCase{"ForClients", With(CaExtensions(), "extendedKeyUsage", "clientAuth"), false},
        AuthorityCase{"UnknownCritical",
                      With(CaExtensions(), "1.3.6.1.4.1.99999.1", "critical,DER:0500"), false},
        AuthorityCase{"Permitted",
                      With(CaExtensions(), "nameConstraints",
                           "critical,permitted;DNS:localhost,permitted;IP:127.0.0.0/255.0.0.0"),
                      true},
        AuthorityCase{"OtherDnsPermitted",
                      With(CaExtensions(), "nameConstraints", "critical,permitted;DNS:example.com"),
                      false},
        AuthorityCase{"DnsExcluded",
                      With(CaExtensions(), "nameConstraints", "critical,excluded;DNS:localhost"),
                      false},
        AuthorityCase{"OtherDnsExcluded",
                      With(CaExtensions(), "nameConstraints", "excluded;DNS:example.com"), true},
        AuthorityCase{
            "OtherAddressPermitted",
            With(CaExtensions(), "nameConstraints", "critical,permitted;IP:10.0.0.0/255.0.0.0"),
            false},
        AuthorityCase{
            "AddressExcluded",
            With(CaExtensions(), "nameConstraints", "critical,excluded;IP:127.0.0.0/255.255.0.0"),
            false},
        AuthorityCase{
            "EmailPermitted",
            With(CaExtensions(), "nameConstraints", "critical,permitted;email:example.com"), true},
        AuthorityCase{"PolicyRequired",
                      With(CaExtensions(), "policyConstraints", "critical,requireExplicitPolicy:0"),
                      true}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(Certificates, OfAnAuthorityConstrainedToADirectoryNameAreJudgedByIt) {
  Shape shape;
  shape.subject = "constrained";
  shape.extensions = With(CaExtensions(), "nameConstraints", "critical,permitted;dirName:below");
  for (const bool permitted : {true, false}) {
    SCOPED_TRACE(permitted);
    shape.sections = permitted ? "[below]\nCN=web\n" : "[below]\nCN=other\n";
    const PemPair authority = Issue(root(), shape, NewKey("EC:P-256"));
    Present(Issue(authority, {}, NewKey("EC:P-256")), authority.cert);
    if (permitted) {
      ExpectTaken();
    } else {
      ExpectRefused(kNotTrusted);
    }
  }
}

TEST_F(Certificates, BehindAChainOfTenAreTakenAndBehindTwoHundredRefusedAlike) {
  PemPair last = root();
  std::string chain;
  for (int i = 0; i < 200; ++i) {
    last = NewCa(last, "ca " + std::to_string(i));
    chain.insert(0, last.cert);
    if (i != 9 && i != 199) continue;
    Present(Issue(last, {}, NewKey("EC:P-256")), chain);
    if (i == 9) {
      ExpectTaken();
    } else {
      ExpectRefused("");
    }
  }
}

}  // namespace
}  // namespace certlatch::test

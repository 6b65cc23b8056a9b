// What users hand over: the file of authorities, client certificates and keys, and the pairs in
// Secrets. The small binary reads and refuses what the twin reads and refuses.
#include <openssl/ssl.h>

#include <cstdio>
#include <string>

#include "test/conformance/twins.h"

namespace certlatch::test {
namespace {

using testing::HasSubstr;

// --- the file of authorities ---

class AuthorityFile : public Twins {
 protected:
  void ExpectAlike(const std::string& file) {
    Trust(file);
    const Both both = DecideAt(url(), {});
    EXPECT_EQ(both.small.taken, both.whole.taken) << both.small.outcome << "\n"
                                                  << both.whole.outcome;
    EXPECT_EQ(both.small.reason, both.whole.reason);
  }
  static std::string Replaced(std::string text, std::string_view from, std::string_view to) {
    for (size_t at = text.find(from); at != std::string::npos;
         at = text.find(from, at + to.size())) {
      text.replace(at, from.size(), to);
    }
    return text;
  }
};

TEST_F(AuthorityFile, MayBeTheWholeMozillaBundleAndOurs) {
  const Result<std::string> bundle = ReadFile("/etc/ssl/certs/ca-certificates.crt");
  ASSERT_TRUE(bundle.has_value()) << "install ca-certificates";
  ASSERT_GT(bundle->size(), 100000U);
  Trust(*bundle + root().cert);
  ExpectTaken();
  Trust(root().cert + *bundle);
  ExpectTaken();
  Trust(*bundle);
  ExpectRefused("is not trusted");
}

// Each of the bundle's certificates is read alike: as the only authority, it is no reason to trust
// us, and no error either.
TEST_F(AuthorityFile, OfEachAuthorityOfTheBundleIsReadAlike) {
  const Result<std::string> bundle = ReadFile("/etc/ssl/certs/ca-certificates.crt");
  ASSERT_TRUE(bundle.has_value());
  constexpr std::string_view kEnd = "-----END CERTIFICATE-----\n";
  int count = 0;
  for (size_t at = 0, end = 0; (end = bundle->find(kEnd, at)) != std::string::npos;
       at = end + kEnd.size()) {
    if (++count % 8 != 0) continue;  // an eighth of them: each run takes two programs
    SCOPED_TRACE("certificate " + std::to_string(count));
    Trust(bundle->substr(at, end + kEnd.size() - at));
    ExpectRefused("is not trusted");
  }
  EXPECT_GT(count, 50);
}

TEST_F(AuthorityFile, MayHaveWindowsLineEnds) {
  Trust(Replaced(root().cert, "\n", "\r\n"));
  ExpectTaken();
}

TEST_F(AuthorityFile, NeedsNoNewlineAtTheEnd) {
  std::string file = root().cert;
  file.pop_back();
  Trust(file);
  ExpectTaken();
}

TEST_F(AuthorityFile, MayHaveWordsAroundTheBlocks) {
  Trust("# the authority of the test\nsubject=CN = root\n\n" + root().cert + "\nthe end\n");
  ExpectTaken();
}

TEST_F(AuthorityFile, MayHaveDuplicates) {
  Trust(root().cert + NewRoot("another").cert + root().cert + root().cert);
  ExpectTaken();
}

TEST_F(AuthorityFile, MayHaveExpiredAuthoritiesBesideTheRightOne) {
  Shape shape;
  shape.not_before = -48h;
  shape.not_after = -1h;
  Trust(NewRoot("root", "EC:P-256", shape).cert + root().cert);
  ExpectTaken();
}

TEST_F(AuthorityFile, WithAnExpiredAuthorityOnlyIsRefused) {
  Shape shape;
  shape.not_before = -48h;
  shape.not_after = -1h;
  const PemPair old = NewRoot("old", "EC:P-256", shape);
  Trust(old.cert);
  Present(Issue(old, {}, NewKey("EC:P-256")));
  ExpectRefused("is not trusted: certificate has expired");
}

TEST_F(AuthorityFile, OfOddContentIsJudgedAlike) {
  const std::string& ours = root().cert;
  const std::string base64 = ours.substr(28, ours.find("-----END") - 28);
  const std::string trusted = Replaced(ours, "CERTIFICATE", "TRUSTED CERTIFICATE");
  const std::string x509 = Replaced(ours, "CERTIFICATE", "X509 CERTIFICATE");
  const std::string one_line = "-----BEGIN CERTIFICATE-----\n" + Replaced(base64, "\n", "") +
                               "\n-----END CERTIFICATE-----\n";
  const std::string bad_block = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const std::string unknown = PemBlock("STRANGE THING", "12345");
  const std::string files[] = {
      "",
      "\n",
      "not a certificate\n",
      std::string(1000, '\0'),
      trusted,
      x509,
      one_line,
      one_line + ours,
      bad_block,
      bad_block + ours,
      ours + bad_block,
      unknown + ours,
      ours + unknown,
      unknown,
      ours + root().key,
      root().key + ours,
      root().key,
      Replaced(ours, "-----BEGIN", "----BEGIN"),
      Replaced(ours, "-----END CERTIFICATE-----", "-----END CERT-----"),
      Replaced(ours, "\n", "\n "),
      Replaced(ours, "\n", " \n"),
      Replaced(ours, "\n", "\n\n"),
      "\xef\xbb\xbf" + ours,
      ours.substr(0, ours.size() / 2),
      ours + ours.substr(0, ours.size() / 2),
      ours.substr(0, ours.size() / 2) + ours,
      "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n" + base64 +
          "-----END CERTIFICATE-----\n",
      std::string(70000, 'x') + "\n" + ours,
      CertDer(ours),
      Replaced(ours, "A", "B"),
  };
  int number = 0;
  for (const std::string& file : files) {
    SCOPED_TRACE("file " + std::to_string(number++) + ":\n" + file.substr(0, 400));
    ExpectAlike(file);
  }
}

TEST_F(AuthorityFile, WithAuthoritiesOfUnknownKindsIsJudgedAlike) {
  for (const char* kind : {"DSA", "ED448", "EC:secp256k1", "EC:brainpoolP384r1", "EC:explicit",
                           "EC:P-224", "SM2", "RSA:512"}) {
    SCOPED_TRACE(kind);
    const std::string strange = std::string(kind) == "SM2" ? Issue(root(), {}, NewKey(kind)).cert
                                                           : NewRoot("strange", kind).cert;
    Trust(strange + root().cert);
    ExpectTaken();
    Trust(root().cert + strange);
    ExpectTaken();
    Trust(strange);
    ExpectRefused("is not trusted");
  }
}

// What an authority of a kind that the small binary does not know has signed, it refuses.
TEST_F(AuthorityFile, OfAnUnknownKindIsNoReasonToTrust) {
  for (const char* kind : {"DSA", "EC:secp256k1", "EC:brainpoolP384r1", "ED448"}) {
    SCOPED_TRACE(kind);
    const PemPair strange = NewRoot("strange", kind);
    Trust(strange.cert);
    Present(Issue(strange, {}, NewKey("EC:P-256")));
    const Both both = DecideAt(url(), {});
    EXPECT_FALSE(both.small.taken);
    EXPECT_THAT(both.small.reason, testing::AnyOf(HasSubstr("is not trusted"),
                                                  HasSubstr("TLS connect error: error:")));
  }
}

// --- pairs in Secrets ---

class Pairs : public Twins {
 protected:
  Both Ask(const PemPair& pair) {
    api().Put(TlsSecretJson("pair", pair));
    return DecideAt(url(), {"secret/pair"});
  }
  void ExpectGood(const PemPair& pair) {
    const Both both = Ask(pair);
    EXPECT_TRUE(both.small.taken) << both.small.outcome;
    EXPECT_TRUE(both.whole.taken) << both.whole.outcome;
  }
  void ExpectBad(const PemPair& pair, bool to_the_word = true) {
    const Both both = Ask(pair);
    EXPECT_FALSE(both.small.taken);
    EXPECT_FALSE(both.whole.taken);
    EXPECT_THAT(both.small.reason, HasSubstr("secret/pair: "));
    if (to_the_word) {
      EXPECT_EQ(both.small.reason, both.whole.reason);
    }
  }
};

TEST_F(Pairs, OfEachKindOfKeyAreGoodAndOfTwoKeysBad) {
  for (const char* kind :
       {"RSA:2048", "RSA:4096", "RSA-PSS:2048", "EC:P-256", "EC:P-384", "EC:P-521", "ED25519"}) {
    SCOPED_TRACE(kind);
    const PemPair pair = Issue(root(), {}, NewKey(kind));
    ExpectGood(pair);
    const bool is_rsa = std::string(kind).starts_with("RSA");
    ExpectBad({pair.cert, NewKey(is_rsa ? kind + std::string(" again") : kind)});
    ExpectBad({pair.cert, NewKey("EC:P-256")});
    ExpectBad({pair.cert, NewKey("ED25519")});
  }
}

TEST_F(Pairs, InTheOldFormatsAreGood) {
  for (const char* kind : {"RSA:2048", "EC:P-256", "EC:P-384"}) {
    SCOPED_TRACE(kind);
    const PemPair pair = Issue(root(), {}, NewKey(kind));
    ExpectGood({pair.cert, TraditionalKeyPem(pair.key)});
  }
}

TEST_F(Pairs, WithEncryptedKeysAreBad) {
  const PemPair pair = Issue(root(), {}, NewKey("RSA:2048"));
  ExpectBad({pair.cert, EncryptedKeyPem(pair.key, "password")});
  ExpectBad({pair.cert, TraditionalKeyPem(pair.key, "password")});
}

TEST_F(Pairs, OfUnknownKindsAreBad) {
  for (const char* kind : {"DSA", "ED448", "EC:secp256k1", "EC:brainpoolP256r1", "EC:explicit",
                           "EC:P-224", "EC:sect283k1", "SM2", "RSA:512"}) {
    SCOPED_TRACE(kind);
    const std::string key = NewKey(kind);
    ExpectBad(Issue(root(), {}, key), false);
    ExpectBad({Leaf().cert, key}, false);
  }
}

TEST_F(Pairs, WithChainsAndWordsAroundThemAreGood) {
  const PemPair first = NewCa(root(), "first");
  const PemPair pair = Issue(first, {}, NewKey("EC:P-256"));
  ExpectGood({"leaf\n" + pair.cert + "\nissuer\n" + first.cert + root().cert, "key\n" + pair.key});
}

TEST_F(Pairs, ThatAreCutOffOrDamagedAreBad) {
  const PemPair pair = Leaf();
  ExpectBad({pair.cert.substr(0, pair.cert.size() / 2), pair.key});
  ExpectBad({pair.cert, pair.key.substr(0, pair.key.size() / 2)});
  ExpectBad({pair.key, pair.cert});
  ExpectBad({PemBlock("CERTIFICATE", CertDer(pair.cert) + "more"), pair.key});
  std::string other = PemDer(pair.key);
  other[other.size() - 100] =
      static_cast<char>(other[other.size() - 100] ^ 1);  // the secret number
  ExpectBad({pair.cert, PemBlock("PRIVATE KEY", other)});
}

// --- client certificates ---

TEST_F(Pairs, AsClientCertificatesThatDoNotBelongTogetherAreErrors) {
  const PemPair pair = Leaf();
  const Args us = {"--client-certificate=" + Write("client.crt", pair.cert),
                   "--client-key=" + Write("client.key", NewKey("EC:P-256"))};
  ExpectRefused("--client-key", us);
}

}  // namespace
}  // namespace certlatch::test

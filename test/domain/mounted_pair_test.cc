#include "domain/mounted_pair.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/support/pki.h"

namespace certlatch {
namespace {

using test::Authority;
using test::CertAuthority;
using test::CertSpec;
using test::PemPair;
using testing::HasSubstr;
using testing::StartsWith;

CertSpec ForNames(std::vector<std::string> dns, std::vector<std::string> ips = {}) {
  CertSpec spec;
  spec.dns_names = std::move(dns);
  spec.ip_addresses = std::move(ips);
  return spec;
}

const PemPair& Pair() {
  static const PemPair pair =
      Authority().Issue(ForNames({"web.example", "*.shop.example"}, {"10.0.0.1", "fd00::1"}));
  return pair;
}

Mounted Examine(const PemPair& pair, std::string_view ca, const std::string& name = "") {
  PairRules rules;
  rules.require_name = name;
  return ExaminePair({pair.cert, pair.key, ca}, rules).mounted;
}

VolumeFile Present(std::string_view bytes) { return {Secret(std::string(bytes)), ""}; }
VolumeFile Absent(const std::string& path) {
  return {Secret(), path + ": No such file or directory"};
}

// What ExamineFiles keeps of `known` where the files hold `pair`.
std::string KeptWarning(const ExaminedPair& known, const PemPair& pair) {
  VolumeSnapshot snapshot;
  snapshot.files.push_back(Present(pair.cert));
  snapshot.files.push_back(Present(pair.key));
  return ExamineFiles(snapshot, PairRules(), {&known}).mounted.warning;
}

TEST(MountedPair, TheVerdictOnTheSameBytesIsKept) {
  ExaminedPair known = ExaminePair({Pair().cert, Pair().key, {}}, PairRules());
  known.mounted.warning = "kept";
  EXPECT_EQ(KeptWarning(known, Pair()), "kept");
  EXPECT_EQ(KeptWarning(known, Authority().Issue(ForNames({"web.example"}))), "");
  EXPECT_EQ(KeptWarning(known, {Pair().cert, Authority().Issue(CertSpec()).key}), "");
  EXPECT_EQ(KeptWarning(ExaminedPair(), Pair()), "") << "nothing has been read yet";
  known.mounted.problem = "a verdict that depends on what else there is";
  EXPECT_EQ(KeptWarning(known, Pair()), "");
}

TEST(MountedPair, IsVerifiedWithItsDigestsAndItsLeaf) {
  const ExaminedPair pair =
      ExaminePair({Pair().cert, Pair().key, Authority().cert_pem()}, PairRules());
  const Mounted& mounted = pair.mounted;
  EXPECT_TRUE(mounted.readable);
  EXPECT_EQ(mounted.problem, "");
  EXPECT_EQ(mounted.warning, "");
  EXPECT_TRUE(mounted.all_files);
  EXPECT_EQ(pair.key_kind, KeyKind::kP256);
  EXPECT_EQ(mounted.cert_hash, Sha256(Pair().cert));
  EXPECT_EQ(mounted.digest, BundleDigest({Pair().cert, Pair().key, Authority().cert_pem()}));
  EXPECT_EQ(HexLower(mounted.leaf.sha256), test::CertFingerprint(Pair().cert));
  EXPECT_GT(mounted.leaf.not_after, mounted.leaf.not_before);
  EXPECT_FALSE(mounted.appeared.has_value());
}

TEST(MountedPair, WithoutACaHasNothingToWarnOf) {
  const Mounted without = Examine(Pair(), {});
  EXPECT_FALSE(without.all_files);
  EXPECT_EQ(without.warning, "");
  EXPECT_EQ(without.digest, BundleDigest({Pair().cert, Pair().key, {}}));
  // An issuer that tells no CA may leave an empty ca.crt.
  const Mounted empty = Examine(Pair(), "");
  EXPECT_TRUE(empty.all_files);
  EXPECT_EQ(empty.warning, "");
  EXPECT_NE(empty.digest, without.digest);
}

TEST(MountedPair, OfAnotherCaIsWarnedOfAndUsed) {
  const CertAuthority other("other CA");
  const Mounted mounted = Examine(Pair(), other.cert_pem());
  EXPECT_EQ(mounted.problem, "");
  EXPECT_THAT(mounted.warning, StartsWith("tls.crt does not lead to a certificate in ca.crt ("));
  EXPECT_EQ(Examine(Pair(), other.cert_pem() + Authority().cert_pem()).warning, "");
}

// Its name alone makes no issuer.
TEST(MountedPair, OfACaWithTheSameNameIsWarnedOf) {
  const CertAuthority namesake;
  EXPECT_NE(Examine(Pair(), namesake.cert_pem()).warning, "");
}

TEST(MountedPair, LeadsThroughItsIntermediatesToTheRootOrToOneOfThem) {
  CertSpec spec = ForNames({"ca"});
  spec.common_name = "intermediate";
  spec.is_ca = true;
  const PemPair issuer = Authority().Issue(spec);
  PemPair pair = CertAuthority(issuer).Issue(ForNames({"web"}));
  EXPECT_NE(Examine(pair, Authority().cert_pem()).warning, "");
  EXPECT_EQ(Examine(pair, issuer.cert).warning, "");
  pair.cert += issuer.cert;
  EXPECT_EQ(Examine(pair, Authority().cert_pem()).warning, "");
  EXPECT_EQ(Examine(pair, issuer.cert).warning, "");
}

TEST(MountedPair, LeadsToItselfWhereNobodyElseIssuedIt) {
  EXPECT_EQ(Examine(Pair(), Pair().cert).warning, "");
}

TEST(MountedPair, LeavesDatesToWhoHasAClock) {
  CertSpec spec = ForNames({"web"});
  spec.not_before = -48h;
  spec.not_after = -24h;
  const Mounted expired = Examine(Authority().Issue(spec), Authority().cert_pem());
  EXPECT_EQ(expired.problem, "");
  EXPECT_EQ(expired.warning, "");
}

TEST(MountedPair, MayBeUsedBetweenItsDates) {
  Mounted mounted;
  mounted.readable = true;
  mounted.leaf.not_before = WallTime(1000s);
  mounted.leaf.not_after = WallTime(2000s);
  EXPECT_EQ(ProblemAt(mounted, WallTime(1000s)), "");
  EXPECT_EQ(ProblemAt(mounted, WallTime(2000s)), "");
  EXPECT_EQ(ProblemAt(mounted, WallTime(999s)),
            "the certificate is not valid before 1970-01-01T00:16:40Z");
  EXPECT_EQ(ProblemAt(mounted, WallTime(2001s)), "the certificate expired at 1970-01-01T00:33:20Z");
  EXPECT_EQ(ProblemAt(mounted, WallTime(1500s), 10min),
            "the certificate is valid only until 1970-01-01T00:33:20Z, less than the 10m that "
            "--min-validity asks for");
  mounted.problem = "is not its own";
  EXPECT_EQ(ProblemAt(mounted, WallTime(1500s)), "is not its own");
}

TEST(MountedPair, WarnsOfACaThatIsNone) {
  EXPECT_EQ(Examine(Pair(), "no PEM").warning, "ca.crt holds no PEM certificate");
  EXPECT_EQ(Examine(Pair(), test::PemBlock("CERTIFICATE", "no DER")).warning,
            "ca.crt: certificate 1 does not parse");
  EXPECT_THAT(Examine(Pair(), "-----BEGIN CERTIFICATE-----\n!").warning,
              StartsWith("ca.crt: PEM block 1 is damaged"));
  EXPECT_EQ(Examine(Pair(), std::string(kMaxPemSize + 1, ' ')).warning,
            "ca.crt is larger than 1 MiB");
  std::string many;
  for (size_t i = 0; i <= kMaxAnchors; ++i) many += Pair().cert;
  EXPECT_EQ(Examine(Pair(), many).warning, "ca.crt holds more than 1024 certificates");
}

TEST(MountedPair, ThatIsNotItsOwnIsRefused) {
  const Mounted mounted = Examine({Pair().cert, test::NewKeyPem(test::KeyType::kEcP256)}, {});
  EXPECT_TRUE(mounted.readable);
  EXPECT_THAT(mounted.problem, HasSubstr("do not belong together"));
  EXPECT_EQ(mounted.cert_hash, Sha256(Pair().cert));
  EXPECT_EQ(mounted.leaf.not_after, WallTime());
}

TEST(MountedPair, OfOtherNamesIsRefusedAndTheyAreNamed) {
  EXPECT_EQ(Examine(Pair(), {}, "web.example").problem, "");
  EXPECT_EQ(Examine(Pair(), {}, "mail.example").problem,
            "tls.crt is not for mail.example, which --require-name asks for; its alternative "
            "names: web.example, *.shop.example, 10.0.0.1, fd00::1");
  const PemPair many = Authority().Issue(ForNames({"a", "b", "c", "d", "e", "f", "g"}));
  EXPECT_THAT(Examine(many, {}, "x").problem, HasSubstr("names: a, b, c, d, e and 2 more"));
  EXPECT_THAT(Examine(Authority().Issue(ForNames({})), {}, "web").problem,
              HasSubstr("names: nothing"));
}

TEST(MountedPair, NamesTheFileThatIsMissingAndWhatThereIsInstead) {
  VolumeSnapshot snapshot;
  snapshot.files.push_back(Present(Pair().cert));
  snapshot.files.push_back(Absent("/tls/tls.key"));
  snapshot.files.push_back(Present(Authority().cert_pem()));
  snapshot.holds = "ca.crt, server.key, tls.crt";
  const Mounted mounted = ExamineFiles(snapshot, PairRules()).mounted;
  EXPECT_TRUE(mounted.readable);
  EXPECT_FALSE(mounted.all_files);
  EXPECT_EQ(mounted.problem,
            "tls.key is missing; the volume holds ca.crt, server.key, tls.crt: "
            "--cert-file/--key-file can name others");
  PairRules rules;
  rules.names.cert = "server.crt";
  snapshot.files[0] = Absent("/tls/server.crt");
  EXPECT_THAT(ExamineFiles(snapshot, rules).mounted.problem, StartsWith("server.crt is missing"));
}

TEST(MountedPair, OfAReadingIsThatOfItsBytes) {
  VolumeSnapshot snapshot;
  snapshot.files.push_back(Present(Pair().cert));
  snapshot.files.push_back(Present(Pair().key));
  snapshot.files.push_back(Absent("/tls/ca.crt"));
  snapshot.holds = "tls.crt, tls.key";
  const Mounted mounted = ExamineFiles(snapshot, PairRules()).mounted;
  EXPECT_EQ(mounted.problem, "");
  EXPECT_EQ(mounted.digest, Examine(Pair(), {}).digest);
  EXPECT_NE(ExamineFiles(VolumeSnapshot(), PairRules()).mounted.problem, "");
}

TEST(MountedPair, AWildcardStandsForOneFirstLabel) {
  CertFacts leaf;
  leaf.dns_names = {"web.Example", "*.shop.example", "*", "*.", "f*.bar.example"};
  for (const char* name : {"WEB.example", "web.example.", "a.shop.example", "*.shop.example"}) {
    EXPECT_TRUE(LeafNames(leaf, name)) << name;
  }
  for (const char* name : {"", ".", "shop.example", ".shop.example", "a.b.shop.example", "example",
                           "foo.bar.example", "10.0.0.1"}) {
    EXPECT_FALSE(LeafNames(leaf, name)) << name;
  }
}

TEST(MountedPair, AnAddressIsOnlyAnAddress) {
  CertFacts leaf;
  leaf.dns_names = {"10.0.0.2", "*.0.0.3"};
  leaf.ip_addresses = {"10.0.0.1", "fd00::1"};
  for (const char* name : {"10.0.0.1", "fd00::1", "FD00:0:0::1"}) {
    EXPECT_TRUE(LeafNames(leaf, name)) << name;
  }
  for (const char* name : {"10.0.0.2", "10.0.0.3", "fd00::2"}) {
    EXPECT_FALSE(LeafNames(leaf, name)) << name;
  }
}

}  // namespace
}  // namespace certlatch

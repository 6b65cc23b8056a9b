#include "domain/lease_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/wall_time.h"

namespace certlatch {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kHash(64, 'a');
const std::string kOtherHash(64, 'b');
const std::string kThird(64, 'c');
constexpr std::string_view kEnd = "2027-01-15T08:00:00Z";
constexpr std::string_view kPrefix = kDefaultAnnotationPrefix;

Digest Filled(uint8_t byte) {
  Digest digest;
  digest.fill(byte);
  return digest;
}

Json Annotations(const std::string& hash, std::string_view end, const std::string& bundle = "",
                 const std::string& ready = "true") {
  std::string text = R"({"kubetemplater.io/cert-ready":")" + ready +
                     R"(","kubetemplater.io/cert-hash":")" + hash +
                     R"(","kubetemplater.io/cert-valid-until":")" + std::string(end) + '"';
  if (!bundle.empty()) text += R"(,"kubetemplater.io/bundle-hash":")" + bundle + '"';
  return *ParseJson(text + "}");
}

Expected Read(const Json& annotations) { return ReadLeaseAnnotations(annotations, kPrefix); }

// --- the digest -------------------------------------------------------------------------------

TEST(BundleDigest, IsOfNamesAndValuesBehindTheirLengths) {
  // By Python: sha256 of struct.pack('>Q', len(x)) + x for each name and value.
  EXPECT_EQ(HexLower(BundleDigest({"CERT", "KEY", "CA"})),
            "cf12a83a0866495443a67161fe37f01101a46c0b83a0f4ec28242b95108e9385");
  EXPECT_EQ(HexLower(BundleDigest({"CERT", "KEY", {}})),
            "f9f65b9d228f51278350dba9ab6a63af2153433ceefded4de51fdd329405aa91");
}

TEST(BundleDigest, TellsAnEmptyFileFromAMissingOneAndWhereABorderIs) {
  EXPECT_NE(BundleDigest({"CERT", "KEY", ""}), BundleDigest({"CERT", "KEY", {}}));
  EXPECT_NE(BundleDigest({"CERTK", "EY", {}}), BundleDigest({"CERT", "KEY", {}}));
  EXPECT_NE(BundleDigest({"CERT", {}, "KEY"}), BundleDigest({"CERT", "KEY", {}}));
}

// --- reading ----------------------------------------------------------------------------------

TEST(LeaseRecord, ReadsAllAnnotations) {
  const Expected expected = Read(Annotations(kHash, kEnd, kHash + ":" + kThird));
  EXPECT_TRUE(expected.known);
  EXPECT_EQ(expected.cert_hash, Filled(0xaa));
  EXPECT_EQ(expected.bundle, Filled(0xcc));
  EXPECT_EQ(expected.valid_until, *ParseWallTime(kEnd));
  EXPECT_EQ(expected.problem, "");
}

TEST(LeaseRecord, KnowsNothingWithoutAReadyLeaderOrAStrictHash) {
  EXPECT_THAT(Read(Json()).problem, HasSubstr("kubetemplater.io/cert-ready is not \"true\""));
  for (const char* ready : {"false", "True", "1", ""}) {
    EXPECT_FALSE(Read(Annotations(kHash, kEnd, "", ready)).known) << ready;
  }
  for (const std::string& hash :
       {std::string(), std::string(63, 'a'), std::string(65, 'a'), std::string(64, 'A'),
        std::string(64, 'g'), std::string(1 << 18, 'a'), " " + std::string(63, 'a')}) {
    const Expected expected = Read(Annotations(hash, kEnd));
    EXPECT_FALSE(expected.known) << hash.substr(0, 70);
    EXPECT_THAT(expected.problem, HasSubstr("kubetemplater.io/cert-hash"));
    EXPECT_LT(expected.problem.size(), 120U);
  }
}

TEST(LeaseRecord, LeavesOutATimeThatIsNotUtc) {
  for (const char* end : {"", "tomorrow", "2027-01-15T08:00:00+01:00", "2027-01-15",
                          "2027-02-30T08:00:00Z", "2027-01-15T08:00:00z"}) {
    const Expected expected = Read(Annotations(kHash, end));
    EXPECT_TRUE(expected.known);
    EXPECT_FALSE(expected.valid_until.has_value()) << end;
    EXPECT_THAT(expected.problem, HasSubstr("cert-valid-until"));
  }
}

TEST(LeaseRecord, LeavesOutABundleHashOfAnotherCertificate) {
  for (const std::string& bundle :
       {kOtherHash + ":" + kThird, kHash, kHash + ":", kHash + "-" + kThird,
        kHash + ":" + kThird + "0", kHash + ":" + std::string(64, 'X')}) {
    const Expected expected = Read(Annotations(kHash, kEnd, bundle));
    EXPECT_TRUE(expected.known);
    EXPECT_FALSE(expected.bundle.has_value()) << bundle;
  }
}

TEST(LeaseRecord, ReadsOnlyItsPrefix) {
  const Json annotations = Annotations(kHash, kEnd);
  EXPECT_FALSE(ReadLeaseAnnotations(annotations, "certlatch.dev").known);
  EXPECT_THAT(ReadLeaseAnnotations(annotations, "certlatch.dev").problem,
              HasSubstr("certlatch.dev/cert-ready"));
}

// --- publishing -------------------------------------------------------------------------------

Publication Ours(bool with_key = true) {
  Publication ours{Filled(0xaa), std::nullopt, *ParseWallTime(kEnd)};
  if (with_key) ours.bundle = Filled(0xcc);
  return ours;
}

std::string Plan(const Json& annotations, const Publication& ours = Ours(),
                 const std::optional<Publication>& last_written = {}) {
  const std::string plan = PlanPublish(annotations, kPrefix, ours, last_written);
  EXPECT_TRUE(plan.empty() || ParseJson(plan).has_value()) << plan;
  return plan;
}

TEST(PlanPublish, WritesAllThatIsMissing) {
  EXPECT_EQ(Plan(Json()), R"({"metadata":{"annotations":{"kubetemplater.io/cert-ready":"true",)"
                          R"("kubetemplater.io/cert-hash":")" +
                              kHash +
                              R"(","kubetemplater.io/cert-valid-until":"2027-01-15T08:00:00Z",)"
                              R"("kubetemplater.io/bundle-hash":")" +
                              kHash + ":" + kThird + R"("}}})");
}

TEST(PlanPublish, ReadsBackAsWhatWasMeant) {
  const Json patch = *ParseJson(Plan(Json()));
  const Expected expected = Read(patch["metadata"]["annotations"]);
  EXPECT_EQ(expected.cert_hash, Ours().cert_hash);
  EXPECT_EQ(expected.bundle, Ours().bundle);
  EXPECT_EQ(expected.valid_until, Ours().not_after);
}

TEST(PlanPublish, DoesNothingTwice) {
  EXPECT_EQ(Plan(Annotations(kHash, kEnd, kHash + ":" + kThird)), "");
}

TEST(PlanPublish, PatchesOnlyWhatAnElectionClientDropped) {
  const std::string plan = Plan(Annotations(kHash, kEnd));
  EXPECT_THAT(plan, HasSubstr("bundle-hash"));
  EXPECT_THAT(plan, Not(HasSubstr("cert-hash")));
}

TEST(PlanPublish, ReplacesAnOlderOrMalformedRecord) {
  EXPECT_NE(Plan(Annotations(kOtherHash, "2027-01-15T07:59:59Z")), "");
  EXPECT_NE(Plan(Annotations(kOtherHash, "never")), "");
  EXPECT_NE(Plan(Annotations("?", "2028-01-15T08:00:00Z")), "");
}

TEST(PlanPublish, LeavesARecordThatLivesAsLongOrLonger) {
  EXPECT_EQ(Plan(Annotations(kOtherHash, kEnd)), "");
  EXPECT_EQ(Plan(Annotations(kOtherHash, "2027-01-15T08:00:01Z")), "");
  EXPECT_EQ(Plan(Annotations(kHash, kEnd, kHash + ":" + kOtherHash)), "") << "another CA";
}

TEST(PlanPublish, ReplacesItsOwnRecordInAnyCase) {
  const Publication shorter{Filled(0xbb), std::nullopt, *ParseWallTime("2028-01-15T08:00:00Z")};
  const Json written = Annotations(kOtherHash, "2028-01-15T08:00:00Z");
  EXPECT_EQ(Plan(written), "");
  EXPECT_THAT(Plan(written, Ours(), shorter), HasSubstr(kHash));
}

TEST(PlanPublish, TwoPublishersWithDifferentViewsDoNotFight) {
  Publication mine = Ours();
  Publication theirs = Ours();
  theirs.bundle = Filled(0xdd);
  const Json by_them = Annotations(kHash, kEnd, kHash + ":" + std::string(64, 'd'));
  const Json by_me = Annotations(kHash, kEnd, kHash + ":" + kThird);
  EXPECT_EQ(Plan(by_them, mine, mine), "");
  EXPECT_EQ(Plan(by_me, theirs, theirs), "");
}

TEST(PlanPublish, PublishesNoBundleHashWithoutAKey) {
  EXPECT_THAT(Plan(Json(), Ours(false)), Not(HasSubstr("bundle-hash")));
}

}  // namespace
}  // namespace certlatch

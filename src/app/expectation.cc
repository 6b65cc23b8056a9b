#include "app/expectation.h"

#include "base/text.h"
#include "domain/cert_pair.h"

namespace certlatch {
namespace {

const char* TypeOf(const ExpectOptions& options) {
  return options.source == ReloadOptions::Source::kLease ? "lease" : "secret";
}

Expected ReadSecret(const Json& secret, const SecretKeys& keys) {
  Expected expected;
  const Result<SecretPair> pair = ReadSecretPair(secret, keys);
  if (!pair) {
    expected.problem = pair.error().text;
    return expected;
  }
  expected.known = true;
  expected.cert_hash = Sha256(pair->cert);
  if (pair->has_key) expected.bundle = BundleDigest(pair->Bytes());
  const Result<CertFacts> leaf = ReadLeaf(pair->cert);
  if (leaf) {
    expected.valid_until = leaf->not_after;
  } else {
    expected.problem = leaf.error().text;
  }
  return expected;
}

}  // namespace

std::string ExpectLabel(const ExpectOptions& options) {
  return Format("%s/%s", TypeOf(options), options.name.c_str());
}

Selection ExpectSelection(const ExpectOptions& options) {
  return {WellKnown(TypeOf(options)), options.ns, options.name, ""};
}

std::string ExpectPath(const ExpectOptions& options) {
  const Selection selection = ExpectSelection(options);
  return Format("%s/%s", selection.resource.CollectionPath(options.ns).c_str(),
                UrlEncode(options.name).c_str());
}

Expected ReadExpected(const ExpectOptions& options, const Json* object) {
  Expected expected;
  if (object == nullptr) {
    expected.problem = "does not exist";
  } else if (options.source == ReloadOptions::Source::kLease) {
    expected =
        ReadLeaseAnnotations((*object)["metadata"]["annotations"], options.annotation_prefix);
  } else {
    expected = ReadSecret(*object, options.keys);
  }
  if (!expected.problem.empty()) {
    expected.problem = Format("%s: %s", ExpectLabel(options).c_str(), expected.problem.c_str());
  }
  return expected;
}

Result<Expected> ReadExpectedAnswer(const ExpectOptions& options, const ApiAnswer& answer) {
  if (answer.status == 404) return ReadExpected(options, nullptr);
  if (answer.status != 200 || !answer.problem.empty()) {
    return Failure(Code::kRetry, "%s", DescribeAnswer(answer).c_str());
  }
  const Result<Json> object = ParseJson(answer.body);
  if (!object) return Error(object.error());
  return ReadExpected(options, &*object);
}

}  // namespace certlatch

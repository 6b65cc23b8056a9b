// What a Lease or a Secret of the API says should be mounted: which object that is, and how to read
// it. The caller makes the requests.
#pragma once

#include <string>

#include "base/result.h"
#include "domain/api_answer.h"
#include "domain/json.h"
#include "domain/lease_record.h"
#include "domain/reload.h"
#include "domain/secret_pair.h"
#include "domain/watch_session.h"

namespace certlatch {

struct ExpectOptions {
  ReloadOptions::Source source = ReloadOptions::Source::kNone;
  std::string name;  // of the Lease or Secret
  std::string ns = "default";
  std::string annotation_prefix{kDefaultAnnotationPrefix};
  SecretKeys keys = {};  // of the Secret; views
};

// "lease/web".
std::string ExpectLabel(const ExpectOptions& options);

Selection ExpectSelection(const ExpectOptions& options);

// "/apis/coordination.k8s.io/v1/namespaces/default/leases/web".
std::string ExpectPath(const ExpectOptions& options);

// `object` as the API has it; nullptr: there is none. A problem names the object.
Expected ReadExpected(const ExpectOptions& options, const Json* object);

// The same of the answer to a GET of ExpectPath. Error (kRetry): it says nothing about the object.
Result<Expected> ReadExpectedAnswer(const ExpectOptions& options, const ApiAnswer& answer);

}  // namespace certlatch

// ExpectOptions say which object of the API names the certificate that should be mounted.
#pragma once

#include <string>

#include "domain/lease_record.h"
#include "domain/reload.h"

namespace certlatch {

struct ExpectOptions {
  ReloadOptions::Source source = ReloadOptions::Source::kNone;
  std::string name;  // of the Lease or Secret
  std::string ns = "default";
  std::string annotation_prefix{kDefaultAnnotationPrefix};
};

}  // namespace certlatch

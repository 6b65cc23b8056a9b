// Postgres is a PostgreSQL server of its own, with its own data, as the user that the package made:
// it refuses to be root. The caller is root.
// It takes a key that is root's and group-readable (0440, 0640), as fsGroup makes it, or its own
// and nobody else's; the kubelet's usual 0644 it refuses.
#pragma once

#include "test/apps/app.h"

namespace certlatch::test {

class Postgres : public App {
 public:
  explicit Postgres(const TlsVolume& volume);
  ~Postgres() override;

  std::string PidFile() const { return File("data/postmaster.pid"); }

  // What its pod's securityContext and volume need.
  static uid_t User();
  static gid_t Group();
  static VolumeRules Rules();
};

}  // namespace certlatch::test

// Postgres is a PostgreSQL server of its own, with its own data, as the user that the package made:
// it refuses to be root. The caller is root.
// It takes a key that is root's and group-readable (0440, 0640), as fsGroup makes it, or its own
// and nobody else's; the kubelet's usual 0644 it refuses.
#pragma once

#include "test/apps/app.h"

namespace certlatch::test {

class Postgres : public App {
 public:
  // kStandby: one whose recovery never ends, and which takes no connections meanwhile.
  enum class Role { kPrimary, kStandby };

  explicit Postgres(const TlsVolume& volume, Role role = Role::kPrimary);
  ~Postgres() override;

  int PgIsReady() const;  // its exit status
  std::string PidFile() const { return File("data/postmaster.pid"); }

  // What its pod's securityContext and volume need.
  static uid_t User();
  static gid_t Group();
  static VolumeRules Rules();
};

}  // namespace certlatch::test

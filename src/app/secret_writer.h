// SecretWriter keeps a directory in step with a Secret, for as long as it lives: what is right is
// written, all at once; what is not (absent, a pair that does not verify) leaves what is there, and
// is said once. Tries again by itself. Owns a watch, unless its owner has one of that Secret.
#pragma once

#include <memory>
#include <string>

#include "app/host.h"
#include "app/object_watcher.h"
#include "base/function.h"
#include "base/result.h"
#include "domain/readiness.h"
#include "domain/target.h"

namespace certlatch {

// Has the files of `secret` written into the directory `where.text`, and says so. Errors: as
// ReadSecretFiles and Host::WriteVolume.
Status WriteSecret(Host& host, const Json& secret, const TargetName& where, unsigned mode);

class SecretWriter {
 public:
  // `where` with its namespace; it must outlive this. `tried` comes after each attempt, also from
  // within Take(); it must not destroy this.
  SecretWriter(Host& host, const TargetName& where, unsigned mode, Function<void()> tried);

  void Watch(const WatchSettings& settings);
  bool watches() const { return watcher_ != nullptr; }
  // What the owner's watch knows now. It must outlive this.
  void Take(const Collection& known);
  void Close();

  const std::string& trouble() const { return trouble_; }  // "": none

 private:
  void OnChange();
  void Try();
  void SayTrouble(const std::string& trouble);

  Host& host_;
  const TargetName& where_;
  unsigned mode_;
  Function<void()> tried_;
  Target target_;
  ReadinessSettings settings_;
  std::unique_ptr<ObjectWatcher> watcher_;
  uint64_t seen_revision_ = 0;
  const Collection* known_ = nullptr;
  Handle timer_;
  std::string trouble_;
};

}  // namespace certlatch

// AtomicWriter fills a directory as the kubelet fills a Secret's volume, in the same order of steps
// (pkg/volume/util/atomic_writer.go): a dated directory, its files, links for new names, `..data`
// renamed over the old one, links of dropped names removed, the old directory removed.
// Aborts where the file system refuses.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>

namespace certlatch::test {

using Payload = std::map<std::string, std::string>;  // name ("tls.crt", "a/b.crt") -> bytes

class AtomicWriter {
 public:
  explicit AtomicWriter(std::string directory) : directory_(std::move(directory)) {}

  // Returns the name of the new generation's directory.
  std::string Write(const Payload& payload, mode_t mode = 0644);

  // The steps of Write, for tests of what is seen in between.
  std::string WriteGeneration(const Payload& payload, mode_t mode = 0644);
  void LinkNames(const Payload& payload);
  void Swap(const std::string& generation);
  void UnlinkOthers(const Payload& payload);
  void Remove(const std::string& generation);

  std::string Current() const;  // what `..data` leads to; empty: nothing yet

 private:
  std::string directory_;
};

}  // namespace certlatch::test

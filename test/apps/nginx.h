// Nginx serves files and takes uploads over TLS, with two workers.
// Owns its prefix directory; as App otherwise.
// Its error log, at level notice, is process().Err().
#pragma once

#include <string_view>

#include "test/apps/app.h"

namespace certlatch::test {

class Nginx : public App {
 public:
  explicit Nginx(const TlsVolume& volume);

  // A file that the configuration includes; removed where `text` is empty.
  void WriteInclude(std::string_view text) const;
  void WritePage(std::string_view name, size_t size) const;  // of zeros
  size_t Hups() const;                                       // that it has logged
  std::string PidFile() const { return File("nginx.pid"); }
};

}  // namespace certlatch::test

// Text for files and manifests: a pattern with "$name" in it, and what stands there instead.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace certlatch::test {

using Words = std::vector<std::pair<std::string, std::string>>;

// Word by word, in their order: what one brings may name those that follow.
std::string Fill(std::string text, const Words& words);

}  // namespace certlatch::test

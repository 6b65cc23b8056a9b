// Generations of one certificate, as its renewals make them: one name and one authority, each valid
// a day longer than the one before. Their dates are by FakeHost's clock.
// Made on first use and kept.
#pragma once

#include "test/support/pki.h"

namespace certlatch::test {

// Of web.example; valid since before the clock's start, for 100 days from there and `number` more.
CertSpec GenerationSpec(int number);

const PemPair& Generation(int number);  // from 0 to 3

}  // namespace certlatch::test

// Our GHASH (cmake/static/openssl/seams/ghash.c) against the definition in NIST SP 800-38D, bit by bit: every pair of two
// single bits, the operands in which carries are longest, and random ones.
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef uint8_t u8;
typedef uint64_t u64;
typedef struct {
  u64 hi, lo;
} u128;
#define U64(constant) constant##ULL

#define ossl_multiply_by_processor Processor
#include "cmake/static/openssl/seams/aes_ni.c"
#undef ossl_multiply_by_processor
#include "cmake/static/openssl/seams/ghash.c"

static int use_processor;

int ossl_multiply_by_processor(WIDE* product, unsigned long long a, unsigned long long b) {
  return use_processor && Processor(product, a, b);
}

// Algorithm 1 of the standard.
static void Defined(const u8 x[16], const u8 y[16], u8 product[16]) {
  u8 z[16] = {0}, v[16];
  memcpy(v, y, 16);
  for (int i = 0; i < 128; i++) {
    if (x[i / 8] >> (7 - i % 8) & 1)
      for (int j = 0; j < 16; j++) z[j] ^= v[j];
    const int last = v[15] & 1;
    for (int j = 15; j > 0; j--) v[j] = (u8)(v[j] >> 1 | v[j - 1] << 7);
    v[0] >>= 1;
    if (last) v[0] ^= 0xe1;
  }
  memcpy(product, z, 16);
}

static int Differs(const u8 x[16], const u8 h[16]) {
  u8 expected[16];
  u64 block[2];
  u128 table[16];
  Defined(x, h, expected);
  const u64 words[2] = {(u64)(load_block(h) >> 64), (u64)load_block(h)};
  gcm_init_4bit(table, words);
  memcpy(block, x, 16);
  gcm_gmult_4bit(block, table);
  if (memcmp(block, expected, 16) == 0) return 0;
  printf("x =");
  for (int i = 0; i < 16; i++) printf(" %02x", x[i]);
  printf("\nh =");
  for (int i = 0; i < 16; i++) printf(" %02x", h[i]);
  printf("\n");
  return 1;
}

static u64 Random(void) {  // xorshift64*
  static u64 state = 20240229;
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * U64(0x2545f4914f6cdd1d);
}

static int Check(void) {
  int pairs = 0, wrong = 0;
  u8 x[16], h[16];
  for (int i = 0; i < 128; i++) {
    for (int j = 0; j < 128; j++, pairs++) {
      memset(x, 0, 16);
      memset(h, 0, 16);
      x[i / 8] = (u8)(1 << i % 8);
      h[j / 8] = (u8)(1 << j % 8);
      wrong += Differs(x, h);
    }
  }
  static const u8 kDense[] = {0x00, 0xff, 0x55, 0xaa, 0x84, 0x21, 0x10, 0x42, 0x08, 0xfe, 0x7f};
  for (size_t i = 0; i < sizeof kDense; i++) {
    for (size_t j = 0; j < sizeof kDense; j++, pairs++) {
      memset(x, kDense[i], 16);
      memset(h, kDense[j], 16);
      wrong += Differs(x, h);
    }
  }
  for (int i = 0; i < 200000; i++, pairs++) {
    const u64 numbers[4] = {Random(), Random(), Random(), Random()};
    memcpy(x, numbers, 16);
    memcpy(h, numbers + 2, 16);
    wrong += Differs(x, h);
  }
  WIDE product;
  printf("GHASH %s: %d products, %d wrong\n", ossl_multiply_by_processor(&product, 1, 1) ? "by the processor" : "in C", pairs,
         wrong);
  return wrong;
}

int main(void) {
  int wrong = Check();
  (void)aes_by_processor;
  use_processor = 1;
  wrong += Check();
  return wrong != 0;
}

// What the trimmed libcrypto computes. cryptography.sh builds this on it and on the distribution's, and wants the same
// output: each line is a digest of many results on inputs that are made up from a fixed seed. Published vectors come
// first; whatever differs from them ends the program.
//
//   cryptography           the lines
//   cryptography --in-c    the same, without the processor's own instructions (the trimmed libcrypto)
//   cryptography --speed   how fast, instead
//   cryptography --speed-in-c
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef unsigned char Byte;

static void Require(int condition, const char* what) {
  if (condition) return;
  printf("FAILED: %s\n", what);
  exit(1);
}

static Byte Random(void) {  // xorshift64*
  static uint64_t state = 20240229;
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (Byte)(state * 0x2545f4914f6cdd1d >> 56);
}

static void Fill(Byte* bytes, size_t size) {
  for (size_t i = 0; i < size; i++) bytes[i] = Random();
}

static size_t FromHex(const char* text, Byte* bytes) {
  const size_t size = strlen(text) / 2;
  for (size_t i = 0; i < size; i++) {
    unsigned value = 0;
    for (int j = 0; j < 2; j++) {
      const char digit = text[2 * i + (size_t)j];
      value = value * 16 + (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
    }
    bytes[i] = (Byte)value;
  }
  return size;
}

// --- what was computed, in one line ---

static EVP_MD_CTX* told;

static void Begin(void) {
  told = EVP_MD_CTX_new();
  Require(told != NULL && EVP_DigestInit_ex(told, EVP_sha256(), NULL), "SHA-256");
}

static void Tell(const Byte* bytes, size_t size) { Require(EVP_DigestUpdate(told, bytes, size), "SHA-256"); }

static void End(const char* what) {
  Byte digest[32];
  Require(EVP_DigestFinal_ex(told, digest, NULL), "SHA-256");
  EVP_MD_CTX_free(told);
  printf("%-28s ", what);
  for (int i = 0; i < 16; i++) printf("%02x", digest[i]);
  printf("\n");
}

// --- authenticated encryption ---

typedef struct {
  const char* name;
  Byte key[32], iv[64], aad[128], text[512], tag[16];
  size_t iv_size, aad_size, text_size;
} Message;

static int Seal(const Message* m, int encrypt, size_t piece, const Byte* in, Byte* out, Byte tag[16]) {
  EVP_CIPHER* cipher = EVP_CIPHER_fetch(NULL, m->name, NULL);
  EVP_CIPHER_CTX* c = EVP_CIPHER_CTX_new();
  int size = 0;
  Require(cipher != NULL && c != NULL, m->name);
  Require(EVP_CipherInit_ex2(c, cipher, NULL, NULL, encrypt, NULL), "cipher");
  Require(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_IVLEN, (int)m->iv_size, NULL), "length of IV");
  Require(EVP_CipherInit_ex2(c, NULL, m->key, m->iv, encrypt, NULL), "key");
  for (size_t at = 0; at < m->aad_size; at += piece) {
    const size_t left = m->aad_size - at;
    Require(EVP_CipherUpdate(c, NULL, &size, m->aad + at, (int)(left < piece ? left : piece)), "AAD");
  }
  for (size_t at = 0; at < m->text_size; at += piece) {
    const size_t left = m->text_size - at;
    Require(EVP_CipherUpdate(c, out + at, &size, in + at, (int)(left < piece ? left : piece)), "text");
  }
  if (!encrypt) Require(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, 16, tag), "tag");
  const int good = EVP_CipherFinal_ex(c, out + m->text_size, &size);
  if (encrypt) Require(good && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16, tag), "tag");
  EVP_CIPHER_CTX_free(c);
  EVP_CIPHER_free(cipher);
  return good;
}

// Every length of text and of AAD, in pieces of every kind; decrypted again, and refused when a bit of it is another.
static void CheckCipher(const char* name) {
  Message m = {.name = name};
  Byte out[sizeof m.text + 16], back[sizeof m.text + 16], tag[16];
  Begin();
  for (int round = 0; round < 4000; round++) {
    Fill(m.key, sizeof m.key);
    Fill(m.iv, sizeof m.iv);
    m.iv_size = round % 8 != 7 || strstr(name, "ChaCha") ? 12 : 1 + Random() % 64u;
    m.aad_size = (size_t)round % 67;
    m.text_size = (size_t)round % 331;
    Fill(m.aad, m.aad_size);
    Fill(m.text, m.text_size);
    const size_t piece = round % 3 == 0 ? 512 : 1 + Random() % 48u;
    Require(Seal(&m, 1, piece, m.text, out, tag), name);
    Tell(out, m.text_size);
    Tell(tag, 16);
    Require(Seal(&m, 0, 1 + Random() % 100u, out, back, tag), "decrypts what it encrypted");
    Require(memcmp(back, m.text, m.text_size) == 0, "decrypts to the same");
    const int bit = Random() % 128;
    tag[bit / 8] ^= (Byte)(1 << bit % 8);
    Require(!Seal(&m, 0, 512, out, back, tag), "refuses a changed tag");
    tag[bit / 8] ^= (Byte)(1 << bit % 8);
    if (m.text_size == 0) continue;
    out[Random() % m.text_size] ^= (Byte)(1 << bit % 8);
    Require(!Seal(&m, 0, 512, out, back, tag), "refuses a changed text");
  }
  End(name);
}

static void CheckVector(const char* name, const char* key, const char* iv, const char* aad, const char* text,
                        const char* result, const char* tag) {
  Message m = {.name = name};
  Byte out[sizeof m.text + 16], made[16], expected[sizeof m.text];
  FromHex(key, m.key);
  m.iv_size = FromHex(iv, m.iv);
  m.aad_size = FromHex(aad, m.aad);
  m.text_size = FromHex(text, m.text);
  FromHex(tag, m.tag);
  FromHex(result, expected);
  Require(Seal(&m, 1, 512, m.text, out, made), name);
  Require(memcmp(out, expected, m.text_size) == 0 && memcmp(made, m.tag, 16) == 0, name);
}

// The test cases of McGrew and Viega's specification of GCM that its IVs and lengths tell apart, and RFC 8439, 2.8.2.
static void CheckCipherVectors(void) {
  static const char kText[] =
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
      "b16aedf5aa0de657ba637b39";
  static const char kKey[] = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
  static const char kAad[] = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
  CheckVector("AES-128-GCM", "00000000000000000000000000000000", "000000000000000000000000", "", "", "",
              "58e2fccefa7e3061367f1d57a4e7455a");
  CheckVector("AES-128-GCM", "00000000000000000000000000000000", "000000000000000000000000", "",
              "00000000000000000000000000000000", "0388dace60b6a392f328c2b971b2fe78",
              "ab6e47d42cec13bdf53a67b21257bddf");
  CheckVector("AES-128-GCM", "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888", kAad, kText,
              "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa05"
              "1ba30b396a0aac973d58e091",
              "5bc94fbc3221a5db94fae95ae7121a47");
  CheckVector("AES-128-GCM", "feffe9928665731c6d6a8f9467308308", "cafebabefacedbad", kAad, kText,
              "61353b4c2806934a777ff51fa22a4755699b2a714fcdc6f83766e5f97b6c742373806900e49f24b22b097544d4896b42"
              "4989b5e1ebac0f07c23f4598",
              "3612d2e79e3b0785561be14aaca2fccb");
  CheckVector("AES-256-GCM", kKey, "cafebabefacedbaddecaf888", kAad, kText,
              "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
              "c5f61e6393ba7a0abcc9f662",
              "76fc6ece0f4e1768cddf8853bb2d551b");
  CheckVector("ChaCha20-Poly1305", "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
              "070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
              "4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a2049662049"
              "20636f756c64206f6666657220796f75206f6e6c79206f6e652074697020666f7220746865206675747572652c20"
              "73756e73637265656e20776f756c642062652069742e",
              "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92"
              "728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b"
              "4831d7bc3ff4def08e4b7a9de576d26586cec64b6116",
              "1ae10b594f09e26a7e902ecbd0600691");
  printf("%-28s as published\n", "ciphers");
}

// --- Curve25519 ---

static EVP_PKEY* RawKey(const char* type, const Byte* key) {
  EVP_PKEY* made = EVP_PKEY_new_raw_private_key_ex(NULL, type, NULL, key, 32);
  Require(made != NULL, type);
  return made;
}

static void PublicOf(EVP_PKEY* key, Byte public[32]) {
  size_t size = 32;
  Require(EVP_PKEY_get_raw_public_key(key, public, &size) && size == 32, "public key");
}

static int Derive(EVP_PKEY* mine, EVP_PKEY* theirs, Byte* secret, size_t* size) {
  EVP_PKEY_CTX* c = EVP_PKEY_CTX_new_from_pkey(NULL, mine, NULL);
  const int good = c != NULL && EVP_PKEY_derive_init(c) > 0 && EVP_PKEY_derive_set_peer(c, theirs) > 0 &&
                   EVP_PKEY_derive(c, secret, size) > 0;
  EVP_PKEY_CTX_free(c);
  return good;
}

static void Sign(EVP_PKEY* key, const char* digest, const Byte* text, size_t text_size, Byte* signature, size_t* size) {
  EVP_MD_CTX* c = EVP_MD_CTX_new();
  Require(c != NULL && EVP_DigestSignInit_ex(c, NULL, digest, NULL, NULL, key, NULL) > 0, "signature");
  Require(EVP_DigestSign(c, signature, size, text, text_size) > 0, "signature");
  EVP_MD_CTX_free(c);
}

static int Verifies(EVP_PKEY* key, const char* digest, const Byte* text, size_t text_size, const Byte* signature,
                    size_t size) {
  EVP_MD_CTX* c = EVP_MD_CTX_new();
  Require(c != NULL && EVP_DigestVerifyInit_ex(c, NULL, digest, NULL, NULL, key, NULL) > 0, "verification");
  const int good = EVP_DigestVerify(c, signature, size, text, text_size) == 1;
  EVP_MD_CTX_free(c);
  return good;
}

// RFC 8032, 7.1, tests 1 to 3.
static void CheckCurve25519Vectors(void) {
  static const struct {
    const char *secret, *public_key, *text, *signature;
  } kEd25519[] = {
      {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
       "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
       "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
       "d25bf5f0595bbe24655141438e7a100b"},
      {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
       "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
       "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
       "387b2eaeb4302aeeb00d291612bb0c00"},
      {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
       "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
       "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
       "4a7c15e9716ed28dc027beceea1ec40a"},
  };
  Byte key[32], expected[64], text[8], got[64];
  for (size_t i = 0; i < sizeof kEd25519 / sizeof *kEd25519; i++) {
    FromHex(kEd25519[i].secret, key);
    EVP_PKEY* pair = RawKey("ED25519", key);
    PublicOf(pair, got);
    FromHex(kEd25519[i].public_key, expected);
    Require(memcmp(got, expected, 32) == 0, "RFC 8032: public key");
    const size_t text_size = FromHex(kEd25519[i].text, text);
    size_t size = 64;
    Sign(pair, NULL, text, text_size, got, &size);
    FromHex(kEd25519[i].signature, expected);
    Require(size == 64 && memcmp(got, expected, 64) == 0, "RFC 8032: signature");
    EVP_PKEY_free(pair);
  }
  printf("%-28s as published\n", "Ed25519");
}

// Public keys, secrets and signatures of random keys, and of those whose digits are extreme.
static void CheckCurve25519(void) {
  Byte key[2][32], public[2][32], secret[2][32], text[100], signature[64];
  Begin();
  for (int round = 0; round < 1500; round++) {
    size_t size = 32;
    EVP_PKEY* pair[2];
    for (int i = 0; i < 2; i++) {
      Fill(key[i], 32);
      if (round < 48) memset(key[i], (int[]){0, 0xff, 0x77, 0x88, 0x0f, 0xf0, 0x80, 0x08}[(round + i * 3) % 8], round / 8 * 6 + 2);
      pair[i] = RawKey("X25519", key[i]);
      PublicOf(pair[i], public[i]);
      Tell(public[i], 32);
    }
    for (int i = 0; i < 2; i++) {
      Require(Derive(pair[i], pair[1 - i], secret[i], &size) && size == 32, "X25519");
      EVP_PKEY* known = EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL, public[i], 32);
      Require(known != NULL, "public key");
      EVP_PKEY_free(known);
    }
    Require(memcmp(secret[0], secret[1], 32) == 0, "X25519: both have one secret");
    Tell(secret[0], 32);
    for (int i = 0; i < 2; i++) EVP_PKEY_free(pair[i]);
  }
  End("X25519");
  Begin();
  for (int round = 0; round < 1500; round++) {
    size_t size = sizeof signature;
    Fill(key[0], 32);
    Fill(text, sizeof text);
    const size_t text_size = (size_t)round % sizeof text;
    EVP_PKEY* pair = RawKey("ED25519", key[0]);
    PublicOf(pair, public[0]);
    Sign(pair, NULL, text, text_size, signature, &size);
    Require(Verifies(pair, NULL, text, text_size, signature, size), "Ed25519: verifies");
    Tell(public[0], 32);
    Tell(signature, 64);
    signature[Random() % 64] ^= (Byte)(1 << round % 8);
    Require(!Verifies(pair, NULL, text, text_size, signature, size), "Ed25519: refuses a changed signature");
    EVP_PKEY_free(pair);
  }
  End("Ed25519");
}

// --- curves over primes ---

typedef struct {
  const char* name;
  const char* digest;
  size_t bytes;
  const char* oid;  // as DER
} Curve;

// From a secret alone, as a key file may have it (RFC 5915): the public key is computed.
static EVP_PKEY* SecretKey(const Curve* curve, const Byte* secret) {
  Byte der[128] = {0x30, 0, 0x02, 0x01, 0x01, 0x04, (Byte)curve->bytes};
  size_t size = 7;
  memcpy(der + size, secret, curve->bytes);
  size += curve->bytes;
  const size_t oid_size = strlen(curve->oid) / 2;
  der[size++] = 0xa0;
  der[size++] = (Byte)oid_size;
  size += FromHex(curve->oid, der + size);
  der[1] = (Byte)(size - 2);
  const Byte* at = der;
  EVP_PKEY* key = d2i_PrivateKey(EVP_PKEY_EC, NULL, &at, (long)size);
  Require(key != NULL, curve->name);
  return key;
}

static void CheckCurve(const Curve* curve) {
  Byte secret[66], text[64], signature[160], x[2][66], point[140];
  Begin();
  for (int round = 0; round < 50; round++) {
    EVP_PKEY* key[2];
    for (int i = 0; i < 2; i++) {
      size_t size = 0;
      Fill(secret, sizeof secret);
      secret[0] = 0;                                          // less than the order
      if (round < 16) memset(secret + 1, round % 4 == 0 ? 0 : 0xff, (size_t)(round + i));  // few digits, or many ones
      key[i] = SecretKey(curve, secret);
      Require(EVP_PKEY_get_octet_string_param(key[i], OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &size), "public key");
      Tell(point, size);
    }
    size_t size[2] = {sizeof x[0], sizeof x[1]}, signed_size = sizeof signature;
    Require(Derive(key[0], key[1], x[0], &size[0]) && Derive(key[1], key[0], x[1], &size[1]), "ECDH");
    Require(size[0] == curve->bytes && memcmp(x[0], x[1], curve->bytes) == 0, "ECDH: both have one secret");
    Tell(x[0], size[0]);
    Fill(text, sizeof text);
    Sign(key[0], curve->digest, text, sizeof text, signature, &signed_size);
    Require(Verifies(key[0], curve->digest, text, sizeof text, signature, signed_size), "ECDSA: verifies");
    Require(!Verifies(key[1], curve->digest, text, sizeof text, signature, signed_size), "ECDSA: refuses another's");
    text[Random() % sizeof text] ^= 1;
    Require(!Verifies(key[0], curve->digest, text, sizeof text, signature, signed_size), "ECDSA: refuses a changed text");
    for (int i = 0; i < 2; i++) EVP_PKEY_free(key[i]);
  }
  End(curve->name);
}

static const Curve kCurves[] = {{"P-256", "SHA256", 32, "06082a8648ce3d030107"},
                                {"P-384", "SHA384", 48, "06052b81040022"},
                                {"P-521", "SHA512", 66, "06052b81040023"}};

// RFC 6979, A.2.5: the signature of "sample" with SHA-256.
static void CheckCurveVector(void) {
  Byte secret[32], signature[72];
  FromHex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721", secret);
  EVP_PKEY* key = SecretKey(&kCurves[0], secret);
  const size_t size = FromHex(
      "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
      "022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
      signature);
  Require(Verifies(key, "SHA256", (const Byte*)"sample", 6, signature, size), "RFC 6979");
  EVP_PKEY_free(key);
  printf("%-28s as published\n", "ECDSA");
}

// --- how fast ---

static double Now(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void MeasureCipher(const char* name) {
  static Byte data[16384];
  const Byte key[32] = {1}, iv[12] = {2};
  EVP_CIPHER* cipher = EVP_CIPHER_fetch(NULL, name, NULL);
  EVP_CIPHER_CTX* c = EVP_CIPHER_CTX_new();
  Require(cipher != NULL && c != NULL && EVP_CipherInit_ex2(c, cipher, key, iv, 0, NULL), name);
  const double start = Now();
  double took = 0;
  long records = 0;
  for (int size; took < 1; took = Now() - start, records++) EVP_CipherUpdate(c, data, &size, data, sizeof data);
  printf("%-28s %8.1f MB/s\n", name, (double)records * sizeof data / took / 1e6);
  EVP_CIPHER_CTX_free(c);
  EVP_CIPHER_free(cipher);
}

static void MeasureKeys(const char* type, const char* group) {
  const double start = Now();
  double took = 0;
  long keys = 0;
  for (; took < 0.5; took = Now() - start, keys++) {
    EVP_PKEY_CTX* c = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY* key = NULL;
    Require(EVP_PKEY_keygen_init(c) > 0 && (group == NULL || EVP_PKEY_CTX_set_group_name(c, group) > 0) &&
                EVP_PKEY_keygen(c, &key) > 0,
            "key");
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(c);
  }
  printf("a key of %-19s %8.3f ms\n", group == NULL ? type : group, took / (double)keys * 1e3);
}

static void MeasureSignatures(EVP_PKEY* key, const char* name, const char* digest) {
  Byte signature[160];
  const Byte text[32] = {1};
  for (int verify = 0; verify < 2; verify++) {
    const double start = Now();
    double took = 0;
    long count = 0;
    size_t size = sizeof signature;
    if (verify) Sign(key, digest, text, sizeof text, signature, &size);
    for (; took < 0.5; took = Now() - start, count++) {
      size_t room = sizeof signature;
      if (verify)
        Require(Verifies(key, digest, text, sizeof text, signature, size), "verification");
      else
        Sign(key, digest, text, sizeof text, signature, &room);
    }
    printf("%-9s %-18s %8.3f ms\n", verify ? "verified" : "signed", name, took / (double)count * 1e3);
  }
}

static void Measure(void) {
  const Byte secret[66] = {0, 1};
  MeasureCipher("AES-128-GCM");
  MeasureCipher("AES-256-GCM");
  MeasureCipher("ChaCha20-Poly1305");
  MeasureKeys("X25519", NULL);
  MeasureKeys("EC", "P-256");
  MeasureKeys("EC", "P-384");
  MeasureSignatures(SecretKey(&kCurves[0], secret), "P-256", "SHA256");
  MeasureSignatures(SecretKey(&kCurves[1], secret), "P-384", "SHA384");
  MeasureSignatures(RawKey("ED25519", secret), "Ed25519", NULL);
}

#ifdef TRIMMED
extern unsigned int ossl_processor_features;  // cmake/static/openssl/seams/aes_ni.c
#endif

int main(int count, char** arguments) {
  const char* mode = count == 2 ? arguments[1] : "";
#ifdef TRIMMED
  if (strstr(mode, "in-c")) ossl_processor_features = 1;
#endif
  if (strstr(mode, "--speed")) {
    Measure();
    return 0;
  }
  CheckCipherVectors();
  CheckCurve25519Vectors();
  CheckCurveVector();
  CheckCipher("AES-128-GCM");
  CheckCipher("AES-256-GCM");
  CheckCipher("ChaCha20-Poly1305");
  CheckCurve25519();
  for (size_t i = 0; i < sizeof kCurves / sizeof *kCurves; i++) CheckCurve(&kCurves[i]);
  return 0;
}

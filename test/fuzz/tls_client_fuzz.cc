// A hostile TLS server against the client as the product sets it up (platform/http.cc): curl, which
// verifies the server, knows a certificate authority and has a client certificate. No crash, no
// leak, no trap, no endless work.
//
// Input: a byte of flags, then pieces of what the server sends: a kind, two bytes of length, bytes.
//   kind 0         the bytes themselves
//   kind 1..127    a record of this type
//   kind 128..255  a record with one handshake message: its type, its body; the length is put in
// The server knows all keys, else no mutation would get behind the first message: records are not
// decrypted, and signatures and Finished messages are right, unless the flags' lowest bit says so.
// Needs the trimmed libraries, for it replaces functions between their modules (CMakeLists.txt).
#include <curl/curl.h>
#include <openssl/evp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace {

constexpr int kHonest = 1;       // the server knows no keys
constexpr size_t kTagSize = 16;  // of every cipher there is
constexpr size_t kExplicitNonceSize = 8;

bool g_server_knows_keys = true;
bool g_tls12_record = false;  // what is decrypted next is a record of TLS 1.2
uint64_t g_random = 0;

// Random numbers that are the same in each run, so that an input does the same in each run.
// Thirty-two bytes at once are the client's random and its session ID, which the server has to
// know.
void FillRandom(unsigned char* bytes, size_t size) {
  if (size == 32) {
    std::memset(bytes, 'S', size);
    return;
  }
  for (size_t i = 0; i < size; ++i) {
    g_random = g_random * 6364136223846793005U + 1442695040888963407U;
    bytes[i] = static_cast<unsigned char>(g_random >> 56);
  }
}

bool AllZero(const void* bytes, size_t size) {
  const auto* at = static_cast<const unsigned char*>(bytes);
  return std::all_of(at, at + size, [](unsigned char byte) { return byte == 0; });
}

}  // namespace

// The linker puts these in place of the functions without "__wrap_", and those under "__real_".
extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
int __wrap_RAND_bytes(unsigned char* bytes, int size) {
  FillRandom(bytes, static_cast<size_t>(size));
  return 1;
}

int __wrap_RAND_bytes_ex(OSSL_LIB_CTX* /*library*/, unsigned char* bytes, size_t size,
                         unsigned int /*strength*/) {
  FillRandom(bytes, size);
  return 1;
}

int __wrap_RAND_priv_bytes_ex(OSSL_LIB_CTX* /*library*/, unsigned char* bytes, size_t size,
                              unsigned int /*strength*/) {
  g_random ^= 0x5eed;
  for (size_t i = 0; i < size; ++i) FillRandom(bytes + i, 1);
  return 1;
}

int __real_EVP_DigestVerify(EVP_MD_CTX* context, const unsigned char* signature,
                            size_t signature_size, const unsigned char* bytes, size_t size);
int __wrap_EVP_DigestVerify(EVP_MD_CTX* context, const unsigned char* signature,
                            size_t signature_size, const unsigned char* bytes, size_t size) {
  const int good = __real_EVP_DigestVerify(context, signature, signature_size, bytes, size);
  return g_server_knows_keys ? 1 : good;
}

int __real_CRYPTO_memcmp(const void* a, const void* b, size_t size);
int __wrap_CRYPTO_memcmp(const void* a, const void* b, size_t size) {
  // X25519 compares its result with zeros, and must not find it equal.
  const bool is_shared_secret = size == 32 && AllZero(a, size);
  if (g_server_knows_keys && !is_shared_secret) return 0;
  return __real_CRYPTO_memcmp(a, b, size);
}

int __real_EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX* context, int type, int number, void* pointer);
int __wrap_EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX* context, int type, int number, void* pointer) {
  g_tls12_record = type == EVP_CTRL_AEAD_TLS1_AAD;
  return __real_EVP_CIPHER_CTX_ctrl(context, type, number, pointer);
}

int __real_EVP_CipherUpdate(EVP_CIPHER_CTX* context, unsigned char* out, int* out_size,
                            const unsigned char* in, int in_size);
int __wrap_EVP_CipherUpdate(EVP_CIPHER_CTX* context, unsigned char* out, int* out_size,
                            const unsigned char* in, int in_size) {
  if (!g_server_knows_keys || out == nullptr || EVP_CIPHER_CTX_is_encrypting(context) == 1) {
    return __real_EVP_CipherUpdate(context, out, out_size, in, in_size);
  }
  int overhead = 0;
  if (g_tls12_record) {
    const bool is_gcm = EVP_CIPHER_CTX_get_mode(context) == EVP_CIPH_GCM_MODE;
    overhead = static_cast<int>(kTagSize + (is_gcm ? kExplicitNonceSize : 0));
  }
  if (in_size < overhead) return 0;
  if (out != in) std::memmove(out, in, static_cast<size_t>(in_size));
  *out_size = in_size - overhead;
  return 1;
}

int __real_EVP_CipherFinal_ex(EVP_CIPHER_CTX* context, unsigned char* out, int* out_size);
int __wrap_EVP_CipherFinal_ex(EVP_CIPHER_CTX* context, unsigned char* out, int* out_size) {
  if (!g_server_knows_keys || EVP_CIPHER_CTX_is_encrypting(context) == 1) {
    return __real_EVP_CipherFinal_ex(context, out, out_size);
  }
  *out_size = 0;
  return 1;
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
}

namespace {

// Made for this test by seeds.py's means and used nowhere else. They protect nothing.
constexpr std::string_view kAuthority = R"(-----BEGIN CERTIFICATE-----
MIIBJzCBzqADAgECAgEHMAoGCCqGSM49BAMCMBIxEDAOBgNVBAMMB2Z1enogQ0Ew
IBcNMjAwMTAxMDAwMDAwWhgPOTk5OTEyMzEyMzU5NTlaMBIxEDAOBgNVBAMMB2Z1
enogQ0EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASG1i4d5GAWhAo2xpAk0bba
dzmx3jxqepgNlVLZIIloxudLnV7ue7E3N2zBhsJBS5cYrhWxjR2PkP88pMgKpVfR
oxMwETAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIAtllR2pNvz7
tge0VXGjbeMyxamoJPyrtJquORm5rbzEAiEA87R3mXeKzwVPRbCmbJO2hsthUy6S
jRfD1A5uj4iwMEM=
-----END CERTIFICATE-----
)";
constexpr std::string_view kClientCertificate = R"(-----BEGIN CERTIFICATE-----
MIIBEjCBuKADAgECAgEHMAoGCCqGSM49BAMCMBIxEDAOBgNVBAMMB2Z1enogQ0Ew
IBcNMjAwMTAxMDAwMDAwWhgPOTk5OTEyMzEyMzU5NTlaMBExDzANBgNVBAMMBmNs
aWVudDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABIbWLh3kYBaECjbGkCTRttp3
ObHePGp6mA2VUtkgiWjG50udXu57sTc3bMGGwkFLlxiuFbGNHY+Q/zykyAqlV9Ew
CgYIKoZIzj0EAwIDSQAwRgIhAJ4FY9yaphUkd1BJapAf/tABQ9rbGqdU3epsSUX3
pwE2AiEAsXpW4b2ZY4q4gBR1rQLxmMVjj4zKbCO/+WbDHOsnQaY=
-----END CERTIFICATE-----
)";
constexpr std::string_view kClientKey = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgcw6561cXrp5C2uQY
RDMT0Gg9fpLMMCiAZSmu8GSSIlShRANCAASG1i4d5GAWhAo2xpAk0bbadzmx3jxq
epgNlVLZIIloxudLnV7ue7E3N2zBhsJBS5cYrhWxjR2PkP88pMgKpVfR
-----END PRIVATE KEY-----
)";

// --- what the server sends ---

class Server {
 public:
  std::string Bytes(std::string_view pieces) {
    while (pieces.size() >= 3 && bytes_.size() < kMost) {
      const auto kind = static_cast<unsigned char>(pieces[0]);
      const size_t size = Number(pieces.substr(1, 2));
      pieces.remove_prefix(3);
      Send(kind, pieces.substr(0, size));
      pieces.remove_prefix(std::min(size, pieces.size()));
    }
    return std::move(bytes_);
  }

 private:
  static constexpr size_t kMost = 128 * 1024;  // fits the socket's buffer
  static constexpr unsigned char kHandshake = 22;
  static constexpr unsigned char kChangeCipherSpec = 20;
  static constexpr unsigned char kApplicationData = 23;
  static constexpr unsigned char kServerHello = 2;

  static size_t Number(std::string_view two) {
    return static_cast<size_t>(static_cast<unsigned char>(two[0])) << 8 |
           static_cast<unsigned char>(two[1]);
  }

  void Send(unsigned char kind, std::string_view bytes) {
    if (kind == 0) {
      bytes_ += bytes;
    } else if (kind < 128) {
      Record(kind, bytes);
    } else if (!bytes.empty()) {
      const size_t size = bytes.size() - 1;
      std::string message(1, bytes[0]);
      for (const int shift : {16, 8, 0}) message += static_cast<char>(size >> shift & 0xff);
      message += bytes.substr(1);
      Record(kHandshake, message);
      if (bytes[0] == kServerHello) LearnFromHello(bytes.substr(1));
    }
  }

  // The version and whether the suite has an explicit nonce decide how later records look.
  void LearnFromHello(std::string_view hello) {
    constexpr size_t kSession = 34;
    if (hello.size() <= kSession) return;
    const size_t suite = kSession + 1 + static_cast<unsigned char>(hello[kSession]);
    if (hello.size() < suite + 2) return;
    const size_t number = Number(hello.substr(suite, 2));
    is_tls13_ = number >> 8 == 0x13;
    has_nonce_ = number >> 8 == 0xc0;
    constexpr std::string_view kRetry = "\xcf\x21\xad\x74";  // begins HelloRetryRequest's random
    encrypted_ = is_tls13_ && hello.substr(2, kRetry.size()) != kRetry;
  }

  void Record(unsigned char type, std::string_view content) {
    const bool seal = encrypted_ && (!is_tls13_ || type != kChangeCipherSpec);
    std::string body(seal && !is_tls13_ && has_nonce_ ? kExplicitNonceSize : 0, 'n');
    body += content;
    if (seal && is_tls13_) body += static_cast<char>(type);
    if (seal) body.append(kTagSize, 't');
    bytes_ += static_cast<char>(seal && is_tls13_ ? kApplicationData : type);
    bytes_ += "\x03\x03";
    bytes_ += static_cast<char>(body.size() >> 8 & 0xff);
    bytes_ += static_cast<char>(body.size() & 0xff);
    bytes_ += body;
    if (type == kChangeCipherSpec && !is_tls13_) encrypted_ = true;
  }

  std::string bytes_;
  bool is_tls13_ = false;
  bool has_nonce_ = false;
  bool encrypted_ = false;
};

// --- the client ---

curl_socket_t OpenSocket(void* fd, curlsocktype /*purpose*/, curl_sockaddr* /*address*/) {
  return *static_cast<int*>(fd);
}

int IsConnected(void* /*client*/, curl_socket_t /*fd*/, curlsocktype /*purpose*/) {
  return CURL_SOCKOPT_ALREADY_CONNECTED;
}

size_t Discard(char* /*bytes*/, size_t size, size_t count, void* /*client*/) {
  return size * count;
}

curl_blob Blob(std::string_view bytes) {
  return {const_cast<char*>(bytes.data()), bytes.size(), CURL_BLOB_NOCOPY};
}

void Require(bool good) {
  if (!good) std::abort();
}

template <typename Value>
void Set(CURL* easy, CURLoption option, Value value) {
  Require(curl_easy_setopt(easy, option, value) == CURLE_OK);
}

CURLcode Get(int fd) {
  CURL* easy = curl_easy_init();
  Require(easy != nullptr);
  curl_slist* addresses = curl_slist_append(nullptr, "kubernetes:443:127.0.0.1");
  const curl_blob authority = Blob(kAuthority);
  const curl_blob certificate = Blob(kClientCertificate);
  const curl_blob key = Blob(kClientKey);
  // as platform/http.cc does
  Set(easy, CURLOPT_URL, "https://kubernetes/api/v1/secrets");
  Set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  Set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  Set(easy, CURLOPT_NOSIGNAL, 1L);
  Set(easy, CURLOPT_FOLLOWLOCATION, 0L);
  Set(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  Set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  Set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  Set(easy, CURLOPT_CAINFO_BLOB, &authority);
  Set(easy, CURLOPT_CAPATH, nullptr);
  Set(easy, CURLOPT_SSLCERT_BLOB, &certificate);
  Set(easy, CURLOPT_SSLKEY_BLOB, &key);
  Set(easy, CURLOPT_RESOLVE, addresses);
  // of this test
  Set(easy, CURLOPT_OPENSOCKETFUNCTION, &OpenSocket);
  Set(easy, CURLOPT_OPENSOCKETDATA, &fd);
  Set(easy, CURLOPT_SOCKOPTFUNCTION, &IsConnected);
  Set(easy, CURLOPT_WRITEFUNCTION, &Discard);
  Set(easy, CURLOPT_TIMEOUT_MS, 5000L);
  const CURLcode code = curl_easy_perform(easy);
  curl_easy_cleanup(easy);  // closes fd
  curl_slist_free_all(addresses);
  return code;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool initialised = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  Require(initialised);
  if (size == 0) return 0;
  g_server_knows_keys = (data[0] & kHonest) == 0;
  g_random = 1;
  const std::string sent = Server().Bytes({reinterpret_cast<const char*>(data) + 1, size - 1});
  int pair[2];
  Require(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  Require(write(pair[0], sent.data(), sent.size()) == static_cast<ssize_t>(sent.size()));
  Require(shutdown(pair[0], SHUT_WR) == 0);
  const CURLcode code = Get(pair[1]);
  close(pair[0]);
  // The input cannot know a key, so without the help above nobody may come through.
  Require(g_server_knows_keys || code != CURLE_OK);
  if (std::getenv("CERTLATCH_FUZZ_ANSWER") != nullptr) {
    std::fprintf(stderr, "answer: %d\n", static_cast<int>(code));
  }
  return 0;
}

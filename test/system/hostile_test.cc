// Keys and certificates of every odd kind, as the real program meets them: in a Secret, as client
// certificate, as file of authorities. Each ends in an exit code and a line, never in a signal.
// The files are the seeds of the fuzz targets (test/fuzz/seeds.py), which the test
// Fuzz.Seeds makes. With CERTLATCH_BINARY this is about the static binary.
#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "test/system/certlatch_run.h"

namespace certlatch::test {
namespace {

using testing::HasSubstr;

constexpr size_t kAtOnce = 32;

std::vector<std::string> Seeds(const std::string& target, std::string_view prefix) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(CERTLATCH_SEEDS "/" + target)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(prefix)) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string Bytes(const std::string& target, const std::string& name) {
  Result<std::string> bytes = ReadFile(CERTLATCH_SEEDS "/" + target + "/" + name);
  EXPECT_TRUE(bytes.has_value()) << name;
  return bytes ? *std::move(bytes) : "";
}

// A seed of cert_pair: chain, NUL, key. One without a NUL is DER.
PemPair Pair(const std::string& name) {
  const std::string bytes = Bytes("cert_pair", name);
  const size_t end = bytes.find('\0');
  if (!bytes.starts_with("-----BEGIN") || end == std::string::npos) return {bytes, bytes};
  return {bytes.substr(0, end), bytes.substr(end + 1)};
}

MATCHER(EndsByItself, "ends with 0 or with 1 and a line that says why") {
  *result_listener << "signal " << arg.signal << "\nstderr: " << arg.err;
  if (arg.timed_out || !arg.exit_code.has_value()) return false;
  if (arg.exit_code == 0) return true;
  return arg.exit_code == 1 && !arg.err.empty() && arg.err.find("trap: ") == std::string::npos &&
         arg.err.find("Sanitizer") == std::string::npos;
}

class Hostile : public SystemTest {
 protected:
  Outcome RunForSecrets(const std::vector<std::string>& names) {
    Args arguments = {"--timeout=0"};
    for (size_t i = 0; i < names.size(); ++i) {
      const std::string secret = "s" + std::to_string(i);
      api().Put(TlsSecretJson(secret, Pair(names[i])));
      arguments.push_back("secret/" + secret);
    }
    return Run(arguments);
  }
  Outcome RunWith(const Args& extra) {
    api().Put(ConfigMapJson("c", "1"));
    Args arguments = {"configmap/c", "--for=create", "--timeout=1s"};
    arguments.insert(arguments.end(), extra.begin(), extra.end());
    return Run(arguments);
  }
};

struct Refused {
  const char* seed;
  const char* says;
};

class HostileKey : public Hostile, public testing::WithParamInterface<Refused> {};

TEST_P(HostileKey, IsRefusedInWords) {
  const Outcome outcome = RunForSecrets({GetParam().seed});
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_THAT(outcome.err, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, HostileKey,
    testing::Values(Refused{"pkcs8_ed448", "holds a key of kind ED448"},
                    Refused{"pkcs8_x448", "holds a key of kind X448"},
                    Refused{"pkcs8_x25519", "holds a key of kind X25519"},
                    Refused{"pkcs8_dsa", "holds a key of kind DSA"},
                    Refused{"pkcs8_dh", "holds a key of kind dhKeyAgreement"},
                    Refused{"pkcs8_ml_dsa_44", "holds a key of kind "},
                    Refused{"pkcs8_slh_dsa", "holds a key of kind "},
                    Refused{"pkcs8_gost2012_256", "holds a key of kind "},
                    Refused{"pkcs8_unknown", "holds a key of kind 1.3.6.1.4.1.99999.1"},
                    Refused{"pkcs8_sm2", "tls.key"}, Refused{"pkcs8_secp256k1", "tls.key"},
                    Refused{"pkcs8_brainpool", "tls.key"}, Refused{"pkcs8_binary", "tls.key"},
                    Refused{"pkcs8_explicit_p256", "spells its elliptic curve out"},
                    Refused{"pkcs8_explicit_trinomial", "tls.key"},
                    Refused{"pkcs8_rsa_512", "RSA key of 512 bits"},
                    Refused{"encrypted_pbes1", "is encrypted"},
                    Refused{"encrypted_pbes2", "is encrypted"},
                    Refused{"encrypted_scrypt", "is encrypted"},
                    Refused{"traditional_encrypted_rsa", "is encrypted"},
                    Refused{"traditional_dsa", "holds a key of kind DSA PRIVATE KEY"},
                    Refused{"pkcs12_as_key", "does not parse"},
                    Refused{"pkcs12_label", "holds no PEM private key"},
                    Refused{"label_ANY_PRIVATE_KEY", "holds a key of kind ANY PRIVATE KEY"},
                    Refused{"rsa_public", "holds no PEM private key"},
                    Refused{"cms", "holds no PEM certificate"},
                    Refused{"certificate_label_TRUSTED_CERTIFICATE", "TRUSTED CERTIFICATE"},
                    Refused{"rsa_numbers_huge", "tls.key"},
                    Refused{"own_leaf_ed448", "tls.crt holds a key of kind ED448"}),
    [](const auto& tested) { return std::string(tested.param.seed); });

TEST_F(Hostile, AKeyOfAKindThatServersHaveIsTaken) {
  EXPECT_THAT(RunForSecrets({"own_leaf_p256", "own_leaf_p384", "own_leaf_p521", "own_leaf_rsa",
                             "own_leaf_rsa_pss", "own_leaf_ed25519", "ec_parameters_odd"}),
              ExitsWith(0));
}

TEST_F(Hostile, NoSecretEndsTheProgram) {
  const std::vector<std::string> names = Seeds("cert_pair", "");
  ASSERT_GT(names.size(), 500U);
  for (size_t at = 0; at < names.size(); at += kAtOnce) {
    const auto first = names.begin() + static_cast<ptrdiff_t>(at);
    const std::vector<std::string> some(
        first, first + static_cast<ptrdiff_t>(std::min(kAtOnce, names.size() - at)));
    EXPECT_THAT(RunForSecrets(some), EndsByItself()) << "from " << some.front();
  }
}

TEST_F(Hostile, NoClientCertificateEndsTheProgram) {
  for (const std::string& name : Seeds("cert_pair", "own_leaf_")) {
    const PemPair pair = Pair(name);
    Write("client.crt", pair.cert);
    Write("client.key", pair.key);
    EXPECT_THAT(RunWith({"--client-certificate=" + TempFile("client.crt"),
                         "--client-key=" + TempFile("client.key")}),
                EndsByItself())
        << name;
  }
}

TEST_F(Hostile, NoFileOfAuthoritiesEndsTheProgram) {
  for (const std::string& name : Seeds("cert_pair", "encrypted_")) {
    const PemPair pair = Pair(name);
    Write("authorities.crt", pair.key + pair.cert + authority().cert_pem());
    EXPECT_THAT(RunWith({"--certificate-authority=" + TempFile("authorities.crt")}), EndsByItself())
        << name;
  }
}

TEST_F(Hostile, AnAuthorityOfAKindThatNobodyVerifiesLeavesTheOthersGood) {
  std::string authorities;
  for (const std::string& name : Seeds("cert_pair", "own_leaf_")) authorities += Pair(name).cert;
  Write("authorities.crt", authorities + authority().cert_pem());
  EXPECT_THAT(RunWith({"--certificate-authority=" + TempFile("authorities.crt")}), ExitsWith(0));
}

}  // namespace
}  // namespace certlatch::test

// Whom certlatch takes for the API server, and what it says when it does not.
#include <openssl/ssl.h>

#include <fstream>
#include <string>

#include "test/system/certlatch_run.h"

namespace certlatch::test {
namespace {

using testing::HasSubstr;

const Args kConfigMap = {"configmap/c", "--for=create"};

class Tls : public SystemTest {
 protected:
  Tls() { api().Put(ConfigMapJson("c", "1")); }

  void PresentCertificate(const CertSpec& spec) {
    api().server().SetTls(ServerTls(authority().Issue(spec)));
  }
  // Not a single request reached the server, and the last line says why.
  void ExpectDistrust(const std::string& why, Args extra = {}) {
    extra.insert(extra.end(), kConfigMap.begin(), kConfigMap.end());
    extra.emplace_back("--timeout=1s");
    const Outcome outcome = Run(extra);
    EXPECT_THAT(outcome, ExitsWith(1));
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(Lines(outcome.err).back(), HasSubstr("error: timed out after 1s: configmap/c: "));
    EXPECT_THAT(Lines(outcome.err).back(), HasSubstr(why));
    EXPECT_EQ(api().requests().size(), 0U) << "it sent the token to a stranger";
  }
  Outcome RunWith(Args extra) {
    extra.insert(extra.end(), kConfigMap.begin(), kConfigMap.end());
    return Run(extra);
  }
};

CertSpec Localhost() {
  CertSpec spec;
  spec.dns_names = {"localhost"};
  spec.ip_addresses = {"127.0.0.1"};
  return spec;
}

TEST_F(Tls, NeverTrustsACertificateOfAnotherAuthority) {
  const CertAuthority stranger;
  Write("other.crt", stranger.cert_pem());
  ExpectDistrust("is not trusted: unable to get local issuer certificate",
                 {"--certificate-authority=" + TempFile("other.crt")});
}

TEST_F(Tls, NeverTrustsACertificateForAnotherHost) {
  CertSpec spec;
  spec.dns_names = {"kubernetes.default.svc"};
  PresentCertificate(spec);
  ExpectDistrust("is not trusted: SSL: no alternative certificate subject name matches target");
}

TEST_F(Tls, NeverTrustsAnAuthorityThatComesAlongWithTheCertificate) {
  const CertAuthority stranger("another CA");
  PemPair pair = stranger.Issue(Localhost());
  pair.cert += stranger.cert_pem();
  api().server().SetTls(ServerTls(pair));
  ExpectDistrust("is not trusted: self-signed certificate in certificate chain");
}

TEST_F(Tls, NeverTrustsAnExpiredCertificate) {
  CertSpec spec = Localhost();
  spec.not_before = -48h;
  spec.not_after = -1h;
  PresentCertificate(spec);
  ExpectDistrust("certificate has expired");
}

TEST_F(Tls, NeverTrustsACertificateThatIsNotValidYet) {
  CertSpec spec = Localhost();
  spec.not_before = 1h;
  PresentCertificate(spec);
  ExpectDistrust("certificate is not yet valid");
}

TEST_F(Tls, RefusesTls11) {
  TlsSettings old = ServerTls(authority());
  old.min_version = TLS1_1_VERSION;
  old.max_version = TLS1_1_VERSION;
  api().server().SetTls(old);
  ExpectDistrust("failed: TLS alert 70: protocol version");
}

TEST_F(Tls, TakesTls12) {
  TlsSettings old = ServerTls(authority());
  old.max_version = TLS1_2_VERSION;
  api().server().SetTls(old);
  EXPECT_THAT(RunWith({}), ExitsWith(0));
}

TEST_F(Tls, TakesACertificateForTheNameThatTlsServerNameGives) {
  CertSpec spec;
  spec.dns_names = {"kubernetes.default.svc"};
  PresentCertificate(spec);
  EXPECT_THAT(RunWith({"--tls-server-name=kubernetes.default.svc"}), ExitsWith(0));
}

TEST_F(Tls, TakesNoCertificateForAnotherNameThanTlsServerNameGives) {
  ExpectDistrust("is not trusted", {"--tls-server-name=kubernetes.default.svc"});
}

TEST_F(Tls, TakesAHostNameThatMustBeLookedUp) {
  const std::string url = "https://localhost:" + std::to_string(api().server().port());
  EXPECT_THAT(RunAt(url, {"configmap/c", "--for=create"}), ExitsWith(0));
}

TEST_F(Tls, WarnsWhenItTrustsWhoeverAnswers) {
  CertSpec spec;
  spec.dns_names = {"elsewhere"};
  PresentCertificate(spec);
  const Outcome outcome = RunWith({"--insecure-skip-tls-verify"});
  EXPECT_THAT(outcome, ExitsWith(0));
  EXPECT_THAT(outcome.err, HasSubstr("warning: --insecure-skip-tls-verify"));
}

TEST_F(Tls, ShowsItsClientCertificateWhereOneIsRequired) {
  TlsSettings tls = ServerTls(authority());
  tls.client_ca_pem = authority().cert_pem();
  api().server().SetTls(tls);
  CertSpec spec;
  spec.common_name = "waiter";
  const PemPair pair = authority().Issue(spec);
  Write("client.crt", pair.cert);
  Write("client.key", pair.key);
  EXPECT_THAT(RunWith({"--client-certificate=" + TempFile("client.crt"),
                       "--client-key=" + TempFile("client.key")}),
              ExitsWith(0));
  ASSERT_FALSE(api().requests().empty());
  EXPECT_EQ(api().requests().front().client_common_name, "waiter");
}

TEST_F(Tls, SaysThatAClientCertificateIsMissing) {
  TlsSettings tls = ServerTls(authority());
  tls.client_ca_pem = authority().cert_pem();
  api().server().SetTls(tls);
  ExpectDistrust("TLS alert 116: certificate required; see --client-certificate");
}

TEST_F(Tls, SaysThatAClientCertificateIsMissingForTls12) {
  TlsSettings tls = ServerTls(authority());
  tls.client_ca_pem = authority().cert_pem();
  tls.max_version = TLS1_2_VERSION;
  api().server().SetTls(tls);
  ExpectDistrust(
      "TLS alert 40: handshake failure: no cipher in common, or it requires a certificate; "
      "see --client-certificate");
}

TEST_F(Tls, SaysThatItsClientCertificateIsOfAnUnknownAuthority) {
  const CertAuthority stranger("another CA");
  TlsSettings tls = ServerTls(authority());
  tls.client_ca_pem = authority().cert_pem();
  api().server().SetTls(tls);
  const PemPair pair = stranger.Issue({});
  Write("client.crt", pair.cert);
  Write("client.key", pair.key);
  ExpectDistrust(
      "TLS alert 48: unknown CA; see --client-certificate",
      {"--client-certificate=" + TempFile("client.crt"), "--client-key=" + TempFile("client.key")});
}

TEST_F(Tls, SaysThatAServerHungUpInTheHandshake) {
  api().server().SetMode(Mode::kHangUp);
  ExpectDistrust("failed: it closed without ending TLS");
}

TEST_F(Tls, SaysThatAServerDoesNotSpeakTls) {
  api().server().SetMode(Mode::kGarbage);
  ExpectDistrust("failed: no TLS comes back");
}

TEST_F(Tls, NamesAClientKeyThatDoesNotBelong) {
  Write("client.crt", authority().Issue({}).cert);
  Write("client.key", authority().Issue({}).key);
  ExpectDistrust("--client-key", {"--client-certificate=" + TempFile("client.crt"),
                                  "--client-key=" + TempFile("client.key")});
}

// Many programs with TLS write their secrets to the file that this variable names.
TEST_F(Tls, WritesItsSecretsToNoFile) {
  Args env = BasicEnvironment();
  env.push_back("SSLKEYLOGFILE=" + TempFile("secrets"));
  const auto run = StartProgram(WaitAt(api().url(), kConfigMap), env);
  EXPECT_THAT(run->Wait(kHang), ExitsWith(0));
  EXPECT_FALSE(std::ifstream(TempFile("secrets")).good());
}

// As when a cluster's CA is rotated: the kubelet replaces ca.crt some time after the server's
// certificate has changed.
TEST_F(Tls, ReadsTheCaFileAgainWhenItsCaRotates) {
  const auto run = Start({"configmap/later", "--for=create"});
  ASSERT_TRUE(api().WaitForOpenWatches(1, kHang));
  const CertAuthority next("next CA");
  api().server().SetTls(ServerTls(next));
  api().server().DropConnections();
  ASSERT_TRUE(run->WaitForStderr("is not trusted", kHang)) << run->Err();
  api().Put(ConfigMapJson("later", "1"));
  Write("ca.crt", next.cert_pem());
  const Outcome outcome = run->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(0));
}

TEST_F(Tls, RidesOutACaFileThatIsGoneForAMoment) {
  const auto run = Start({"configmap/later", "--for=create"});
  ASSERT_TRUE(api().WaitForOpenWatches(1, kHang));
  ASSERT_EQ(std::remove(CaFile().c_str()), 0);
  api().server().DropConnections();
  ASSERT_TRUE(run->WaitForStderr("ca.crt: No such file", kHang)) << run->Err();
  api().Put(ConfigMapJson("later", "1"));
  Write("ca.crt", authority().cert_pem());
  EXPECT_THAT(run->Wait(kHang), ExitsWith(0));
}

// It keeps the session's ticket: a resumption that goes wrong would cost every second attempt.
TEST_F(Tls, ResumesItsSessionWhenTheConnectionWasCut) {
  const auto run = Start({"configmap/later", "--for=create"});
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(api().WaitForOpenWatches(1, kHang));
    api().server().DropConnections();
  }
  ASSERT_TRUE(api().WaitForOpenWatches(1, kHang));
  api().Put(ConfigMapJson("later", "1"));
  const Outcome outcome = run->Wait(kHang);
  EXPECT_THAT(outcome, ExitsWith(0));
  EXPECT_THAT(outcome.err, testing::Not(HasSubstr("failed")));
}

// --- plain http ---

TEST_F(Tls, SpeaksPlainHttpOnTheLoopback) {
  MiniApiserver plain({});
  plain.Put(ConfigMapJson("c", "1"));
  EXPECT_THAT(RunAt(plain.url(), {"configmap/c", "--for=create"}), ExitsWith(0));
}

TEST_F(Tls, SaysThatAServerSpeaksPlainHttpWhereTlsWasMeant) {
  ServerOptions options;
  options.mode = Mode::kGarbage;
  options.garbage = "HTTP/1.0 400 Bad Request\r\n\r\nClient sent no HTTP to an HTTP server.\n";
  const ScriptedServer plain(options, {});
  Args arguments = kConfigMap;
  arguments.emplace_back("--timeout=1s");
  const Outcome outcome = RunAt("https://127.0.0.1:" + std::to_string(plain.port()), arguments);
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_THAT(Lines(outcome.err).back(),
              HasSubstr("failed: no TLS comes back: is this a port for plain http?"));
}

TEST_F(Tls, RefusesToSendATokenInTheClear) {
  const Outcome outcome = RunAt("http://kubernetes.example:8080", kConfigMap);
  EXPECT_THAT(outcome, ExitsWith(1));
  EXPECT_EQ(Lines(outcome.err).size(), 1U) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("would send the token in the clear"));
}

}  // namespace
}  // namespace certlatch::test

// The readiness of an admission webhook on a real API server, link by link, and that it means what
// it says: the API server can call the webhook that is ready, and not the one before that.

#include <gtest/gtest.h>

#include <atomic>

#include "base/text.h"
#include "domain/json.h"
#include "test/cluster/cluster.h"
#include "test/cluster/webhook_objects.h"
#include "test/support/files.h"
#include "test/support/pki.h"
#include "test/support/scripted_server.h"

namespace certlatch::test {
namespace {

constexpr const char* kConfigurations =
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
// The one that still knows webhooks with side effects.
constexpr const char* kOldConfigurations =
    "/apis/admissionregistration.k8s.io/v1beta1/validatingwebhookconfigurations";
constexpr const char* kSlices = "discovery.k8s.io/v1beta1";
constexpr const char* kRefusal = "the policy wants an owner";

// Answers AdmissionReviews over TLS, with a certificate of a CA whose own one can expire.
class AdmissionServer {
 public:
  explicit AdmissionServer(const std::vector<std::string>& dns_names)
      : ca_key_(NewKeyPem(KeyType::kEcP256)),
        server_({.tls = Tls(dns_names)},
                [this](const HttpRequest& request, Connection& peer) { Answer(request, peer); }) {}

  const ScriptedServer& server() const { return server_; }
  void Allow(bool allows = true) { allows_ = allows; }
  std::string Bundle() const { return CaCert(-1h, 24h); }
  std::string ExpiredBundle() const { return CaCert(-48h, -24h); }

 private:
  // Of the same name and key, whatever its dates: it has signed the server's certificate.
  std::string CaCert(Duration from, Duration to) const {
    CertSpec spec;
    spec.common_name = "webhook CA";
    spec.is_ca = true;
    spec.extended_key_usage = "";
    spec.not_before = from;
    spec.not_after = to;
    return root_.IssueFor(ca_key_, spec).cert;
  }
  TlsSettings Tls(const std::vector<std::string>& dns_names) const {
    CertSpec spec;
    spec.dns_names = dns_names;
    spec.ip_addresses = {"127.0.0.1"};
    const PemPair pair = CertAuthority(PemPair{Bundle(), ca_key_}).Issue(spec);
    return {.cert_chain_pem = pair.cert, .key_pem = pair.key};
  }
  void Answer(const HttpRequest& request, Connection& peer) {
    const Result<Json> review = ParseJson(request.body);
    const std::string uid(review ? (*review)["request"]["uid"].AsString() : "");
    peer.SendResponse(
        200, {{"Content-Type", "application/json"}},
        Format(R"({"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{
                   "uid":"%s","allowed":%s,"status":{"message":"%s"}}})",
               uid.c_str(), allows_ ? "true" : "false", kRefusal));
  }

  const CertAuthority root_;
  const std::string ca_key_;
  std::atomic<bool> allows_ = false;
  ScriptedServer server_;
};

class ClusterWebhook : public ClusterTest {
 protected:
  void SetUp() override {
    ClusterTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    Patch("/api/v1/namespaces/" + ns(), R"({"metadata":{"labels":{"hooks":")" + ns() + R"("}}})");
  }
  // What is scoped to no namespace outlives the test's.
  void TearDown() override {
    if (created_) Delete(Configuration());
  }

  std::string Configuration() const { return std::string(kConfigurations) + "/" + ns(); }
  std::string Target() const { return "validatingwebhookconfiguration/" + ns(); }
  std::string Met() const {
    return "validatingwebhookconfiguration.admissionregistration.k8s.io/" + ns() +
           " condition met\n";
  }
  void CreateConfiguration(const std::string& client_config,
                           const char* configurations = kConfigurations,
                           const char* side_effects = "None") {
    Create(configurations, WebhookConfiguration(ns(), ns(), client_config, side_effects));
    created_ = true;
  }
  void SetConfiguration(const std::string& client_config) {
    Patch(Configuration(), WebhookConfiguration(ns(), ns(), client_config));
  }
  // Standard error has it as the reason of the one webhook.
  static void ExpectReason(const Process& wait, const std::string& reason) {
    ExpectSays(wait, "webhook validate.example.com: " + reason);
    EXPECT_EQ(wait->Out(), "");
  }

  // A ConfigMap about which the webhook is asked.
  std::string DryRun(const char* name = R"("name":"asked")") {
    const std::string file = dir_.File("asked.json");
    EXPECT_TRUE(WriteFile(file, Format(R"({"apiVersion":"v1","kind":"ConfigMap",
                                    "metadata":{%s,"labels":{"asked":"yes"}}})",
                                       name)));
    return "dry-run:" + file;
  }
  // The API server's answer to a ConfigMap about which the webhook is asked, not stored.
  Response Ask() {
    return api().Post(Path("v1", "configmaps") + "?dryRun=All",
                      R"({"metadata":{"generateName":"c-","labels":{"asked":"yes"}}})");
  }
  // It learns of configurations by its own watches: a moment later.
  void ExpectAnswer(int status, const std::string& text) {
    Response answer;
    EXPECT_TRUE(Eventually([&] {
      answer = Ask();
      return answer.status == status && answer.body.find(text) != std::string::npos;
    })) << answer.status
        << " " << answer.body;
  }

 private:
  TempDir dir_;
  bool created_ = false;
};

TEST_F(ClusterWebhook, SaysEachLinkThatIsMissingUntilTheLastIsThere) {
  const Process wait = StartWait({Target()});
  ExpectSays(wait, Target() + ": not found yet");
  CreateConfiguration(ByService(ns(), "hooks", ""));
  ExpectReason(wait, "no service/hooks in namespace " + ns());

  const std::string service = "service/hooks in namespace " + ns() + ": ";
  Create(Path("v1", "services"), R"({"metadata":{"name":"hooks"},
      "spec":{"clusterIP":"None","ports":[{"name":"metrics","port":8080}]}})");
  ExpectReason(wait, service + "has no port 443 (its ports: 8080 metrics)");
  Patch(Path("v1", "services", "hooks"), R"({"spec":{"ports":[{"name":"metrics","port":8080},
      {"name":"https","port":443}]}})");
  ExpectReason(wait, service + "no ready endpoint on port 443 (0 ready, 0 not ready)");
  Create(Path(kSlices, "endpointslices"), HttpsSlice("hooks", false));
  ExpectReason(wait, service + "no ready endpoint on port 443 (0 ready, 1 not ready)");
  Patch(Path(kSlices, "endpointslices", "hooks-1"), HttpsSlice("hooks", true));

  ExpectReason(wait, "caBundle is empty (has cert-manager's cainjector run?)");
  SetConfiguration(ByService(ns(), "hooks", "a bundle of straw"));
  ExpectReason(wait, "caBundle holds no PEM certificate");
  const CertAuthority ca;
  CertSpec past;
  past.is_ca = true;
  past.not_before = -48h;
  past.not_after = -24h;
  SetConfiguration(ByService(ns(), "hooks", ca.Issue(past).cert));
  ExpectReason(wait, "caBundle expired at ");
  // What has no address that can be asked proves nothing.
  SetConfiguration(ByService(ns(), "hooks", ca.cert_pem()));
  ExpectMet(wait, Met());
}

TEST_F(ClusterWebhook, BehindAUrlIsCalledByTheApiServerFromThenOn) {
  AdmissionServer admission({});
  const std::string url = admission.server().url();
  CreateConfiguration(ByUrl(url, admission.ExpiredBundle()));
  const Process wait = StartWait({Target()});
  ExpectReason(wait, "caBundle expired at ");
  ExpectAnswer(500, "certificate has expired or is not yet valid");
  EXPECT_EQ(admission.server().counts().requests, 0U);

  SetConfiguration(ByUrl(url, admission.Bundle()));
  ExpectMet(wait, Met());
  ExpectAnswer(400, kRefusal);
  EXPECT_GT(admission.server().counts().requests, 0U);
  admission.Allow();
  EXPECT_EQ(Ask().status, 201);
}

// An ExternalName is the one kind of Service that leads somewhere without nodes.
TEST_F(ClusterWebhook, BehindAServiceIsCalledByTheApiServerFromThenOn) {
  AdmissionServer admission({"hooks." + ns() + ".svc"});
  const int port = admission.server().port();
  CreateConfiguration(ByService(ns(), "hooks", "", port));
  const Process wait = StartWait({Target()});
  ExpectReason(wait, "no service/hooks in namespace " + ns());
  ExpectAnswer(500, "service \\\"hooks\\\" not found");

  Create(Path("v1", "services"), R"({"metadata":{"name":"hooks"},
      "spec":{"type":"ExternalName","externalName":"localhost"}})");
  ExpectReason(wait, "caBundle is empty (has cert-manager's cainjector run?)");
  ExpectAnswer(500, "x509: ");
  SetConfiguration(ByService(ns(), "hooks", admission.Bundle(), port));
  ExpectMet(wait, Met());
  ExpectAnswer(400, kRefusal);
  admission.Allow();
  EXPECT_EQ(Ask().status, 201);
}

// The last link: what is called is not what the bundle is for.
TEST_F(ClusterWebhook, WithTheBundleOfAForeignAuthorityIsNotReadyBeforeItHasItsOwn) {
  AdmissionServer admission({"hooks." + ns() + ".svc"});
  const int port = admission.server().port();
  CreateConfiguration(ByService(ns(), "hooks", CertAuthority("foreign").cert_pem(), port));
  Create(Path("v1", "services"), R"({"metadata":{"name":"hooks"},
      "spec":{"type":"ExternalName","externalName":"localhost"}})");
  const Process wait = StartWait({Target()});
  ExpectReason(wait, "the certificate of service/hooks in namespace " + ns() +
                         " is not trusted: unable to get local issuer certificate (see its "
                         "caBundle)");
  ExpectAnswer(500, "certificate signed by unknown authority");
  EXPECT_EQ(wait->Out(), "");
  SetConfiguration(ByService(ns(), "hooks", admission.Bundle(), port));
  ExpectMet(wait, Met());
  ExpectAnswer(400, kRefusal);
}

TEST_F(ClusterWebhook, WithTheCertificateOfAnotherNameIsNotReady) {
  AdmissionServer admission({"other." + ns() + ".svc"});
  const int port = admission.server().port();
  CreateConfiguration(ByService(ns(), "hooks", admission.Bundle(), port));
  Create(Path("v1", "services"), R"({"metadata":{"name":"hooks"},
      "spec":{"type":"ExternalName","externalName":"localhost"}})");
  const Process wait = StartWait({Target()});
  ExpectReason(wait, "the certificate of service/hooks in namespace " + ns() + " is not trusted: ");
  ExpectAnswer(500, "x509: certificate is valid for other." + ns() + ".svc, not hooks.");
  EXPECT_EQ(wait->Out(), "");
}

// A dry run sees what the API server sees, wherever that is.
TEST_F(ClusterWebhook, WithTheBundleOfAForeignAuthorityFailsADryRun) {
  AdmissionServer admission({});
  CreateConfiguration(ByUrl(admission.server().url(), CertAuthority("foreign").cert_pem()));
  ExpectAnswer(500, "certificate signed by unknown authority");
  const Process dry_run = StartWait({Target(), DryRun()});
  ExpectSays(dry_run, DryRun() + ": HTTP 500: ");
  ExpectSays(dry_run, "certificate signed by unknown authority; still waiting");
  EXPECT_EQ(admission.server().counts().requests, 0U);

  admission.Allow();
  SetConfiguration(ByUrl(admission.server().url(), admission.Bundle()));
  ExpectMet(dry_run, Met() + DryRun() + " condition met\n");
  EXPECT_EQ(api().Get(Path("v1", "configmaps", "asked")).status, 404) << "nothing is kept";
}

TEST_F(ClusterWebhook, OfAMutatingConfigurationIsJudgedLikewise) {
  const std::string mutating =
      "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
  Create(mutating, WebhookConfiguration(ns(), ns(), ByService(ns(), "hooks", "")));
  const Process wait = StartWait({"mutatingwebhookconfiguration/" + ns()});
  ExpectReason(wait, "no service/hooks in namespace " + ns());
  AdmissionServer admission({});
  admission.Allow();
  const std::string path = mutating + "/" + ns();
  Patch(path,
        WebhookConfiguration(ns(), ns(), ByUrl(admission.server().url(), admission.Bundle())));
  ExpectMet(wait, "mutatingwebhookconfiguration.admissionregistration.k8s.io/" + ns() +
                      " condition met\n");
  ExpectAnswer(201, "");
  EXPECT_GT(admission.server().counts().requests, 0U);
  Delete(path);
}

TEST_F(ClusterWebhook, ThatConvertsATypeIsWaitedForWithTheType) {
  const std::string group = ns() + ".example.com";
  const std::string crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  const auto conversion = [](const std::string& client_config) {
    return R"({"strategy":"Webhook","webhook":{"conversionReviewVersions":["v1"],"clientConfig":)" +
           client_config + "}}";
  };
  const Process wait = StartWait({"crd/things." + group});
  ExpectSays(wait, "not found yet");
  Apply(Format(R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
      "metadata":{"name":"things.%s"},"spec":{"group":"%s","scope":"Namespaced",
      "names":{"plural":"things","singular":"thing","kind":"Thing"},
      "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{
          "type":"object","x-kubernetes-preserve-unknown-fields":true}}}],"conversion":%s}})",
               group.c_str(), group.c_str(), conversion(ByService(ns(), "convert", "")).c_str()));
  ExpectSays(wait, "no service/convert in namespace " + ns());
  Create(Path("v1", "services"),
         R"({"metadata":{"name":"convert"},
      "spec":{"clusterIP":"None","ports":[{"name":"https","port":443}]}})");
  ExpectSays(wait, "no ready endpoint on port 443");
  Create(Path(kSlices, "endpointslices"), HttpsSlice("convert", true));
  ExpectSays(wait, "caBundle is empty");
  Patch(crds + "/things." + group,
        R"({"spec":{"conversion":)" +
            conversion(ByService(ns(), "convert", CertAuthority().cert_pem())) + "}}");
  ExpectMet(wait,
            "customresourcedefinition.apiextensions.k8s.io/things." + group + " condition met\n");
  // It stays: a group that goes would be missed by who asks for all groups at that moment.
}

TEST_F(ClusterWebhook, IsProvenByItsDenial) {
  AdmissionServer admission({});
  admission.Allow();
  const std::string target = DryRun() + "=denied:wants an owner";
  CreateConfiguration(ByUrl(admission.server().url(), admission.Bundle()));
  ExpectAnswer(201, "");
  const Process wait = StartWait({target});
  ExpectSays(wait, target + ": was let in, not denied; still waiting");
  admission.Allow(false);
  ExpectMet(wait, target + " condition met\n");
}

// As of a Job of a hook: nothing is kept, so that it is no matter which name it would get.
TEST_F(ClusterWebhook, IsAskedAboutAnObjectThatTheApiServerNames) {
  AdmissionServer admission({});
  CreateConfiguration(ByUrl(admission.server().url(), admission.Bundle()));
  ExpectAnswer(400, kRefusal);
  const std::string target = DryRun(R"("generateName":"asked-")");
  const Process wait = StartWait({target});
  ExpectSays(wait, target + ": HTTP 400: admission webhook");
  admission.Allow();
  ExpectMet(wait, target + " condition met\n");
}

TEST_F(ClusterWebhook, WithSideEffectsCanNeverAnswerADryRun) {
  AdmissionServer admission({});
  CreateConfiguration(ByUrl(admission.server().url(), admission.Bundle()), kOldConfigurations,
                      "Unknown");
  ExpectAnswer(400, "does not support dry run");
  const Process wait = StartWait({DryRun()});
  const Outcome outcome = wait->Wait(kPatience);
  EXPECT_EQ(outcome.exit_code, 3) << outcome.Describe();
  EXPECT_NE(outcome.err.find("does not support dry run"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace certlatch::test

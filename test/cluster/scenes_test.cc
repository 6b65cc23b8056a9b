// What pods in a real cluster wait for, told as it happens there: several objects, of several
// controllers, one after the other, in one command.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <utility>

#include "base/text.h"
#include "base/wall_time.h"
#include "domain/json.h"
#include "test/cluster/cluster.h"
#include "test/cluster/webhook_objects.h"
#include "test/platform/talk_server.h"
#include "test/support/pki.h"

namespace certlatch::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kCertManager = "cert-manager.io/v1";
constexpr const char* kStores = "external-secrets.io/v1";
constexpr const char* kSlices = "discovery.k8s.io/v1beta1";
constexpr const char* kConfigurations =
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
constexpr const char* kWebhookMet =
    "validatingwebhookconfiguration.admissionregistration.k8s.io/%s condition met\n";

// What Vault's client says; each refusal is a line of its own.
std::string VaultRefuses(const std::vector<std::string>& names) {
  std::string text =
      "Vault failed to sign certificate: failed to sign certificate by vault: Error making API "
      "request.\n\nURL: POST http://vault.vault.svc.cluster.local:8200/v1/pki_int/sign/agents\n"
      "Code: 400. Errors:\n\n";
  for (const std::string& name : names) {
    text += Format("* subject alternate name %s not allowed by this role\n", name.c_str());
  }
  return text;
}

std::string Condition(const char* type, const char* status, const char* reason,
                      const std::string& message) {
  return Format(R"({"type":"%s","status":"%s","reason":"%s","message":%s})", type, status, reason,
                JsonQuote(message).c_str());
}

std::string Status(const std::string& conditions, const std::string& more = "") {
  return Format(R"({"status":{%s"conditions":[%s]}})", more.c_str(), conditions.c_str());
}

void ExpectPrints(const Process& process, const std::string& text) {
  ASSERT_NE(process, nullptr);
  ASSERT_TRUE(process->WaitForStdout(text, kPatience)) << process->Err() << process->Out();
}

class ClusterScenes : public ClusterTest {
 protected:
  void TearDown() override {
    if (has_webhook_) Delete(std::string(kConfigurations) + "/" + ns());
  }

  std::string UidOf(const std::string& path) {
    const Result<Json> object = ParseJson(api().Get(path).body);
    return object ? std::string((*object)["metadata"]["uid"].AsString()) : "";
  }

  // --- cert-manager ---

  void CreateAgentCertificate() {
    Create(Path(kCertManager, "certificates"), R"({"apiVersion":"cert-manager.io/v1",
        "kind":"Certificate","metadata":{"name":"agent"},"spec":{"secretName":"agent-tls",
        "issuerRef":{"name":"vault"},"dnsNames":["agent.default.svc.cluster.local",
        "agent.corp.local","agent","agent.default","agent.default.svc"]}})");
    Create(Path(kCertManager, "issuers"), R"({"apiVersion":"cert-manager.io/v1","kind":"Issuer",
        "metadata":{"name":"vault"},"spec":{"vault":{"path":"pki_int/sign/agents"}}})");
    Patch(Path(kCertManager, "issuers", "vault") + "/status",
          Status(Condition("Ready", "True", "VaultVerified", "Vault verified")));
  }
  // As cert-manager leaves the Certificate and its CertificateRequest after the `attempt`th
  // failure.
  void FailIssuance(int attempt, const std::string& words) {
    const std::string request = Format("agent-%d", attempt);
    Create(Path(kCertManager, "certificaterequests"),
           Format(R"({"apiVersion":"cert-manager.io/v1","kind":"CertificateRequest","metadata":{
               "name":"%s","annotations":{"cert-manager.io/certificate-revision":"1",
               "cert-manager.io/certificate-name":"agent"},"ownerReferences":[{"apiVersion":
               "cert-manager.io/v1","kind":"Certificate","name":"agent","uid":"%s",
               "controller":true}]},"spec":{"issuerRef":{"name":"vault"}}})",
                  request.c_str(), UidOf(CertificatePath("agent")).c_str()));
    const std::string now = FormatWallTime(
        std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) - 10s);
    Patch(Path(kCertManager, "certificaterequests", request) + "/status",
          Status(Condition("Approved", "True", "cert-manager.io", "approved") + "," +
                     Condition("Ready", "False", "Failed", words),
                 Format(R"("failureTime":"%s",)", now.c_str())));
    Patch(CertificatePath("agent") + "/status",
          Status(Condition("Ready", "False", "DoesNotExist",
                           "Issuing certificate as Secret does not exist") +
                     "," +
                     Condition("Issuing", "False", "Failed",
                               "The certificate request has failed to complete and will be "
                               "retried: " +
                                   words),
                 Format(R"("lastFailureTime":"%s","failedIssuanceAttempts":%d,)", now.c_str(),
                        attempt)));
  }

  // --- external-secrets ---

  void SetExternal(const char* plural, const std::string& name, const std::string& condition) {
    Patch(Path(kStores, plural, name) + "/status", Status(condition));
  }
  void CreateExternalSecret() {
    Create(Path(kStores, "secretstores"), R"({"apiVersion":"external-secrets.io/v1",
        "kind":"SecretStore","metadata":{"name":"vault"},"spec":{"provider":{"vault":{}}}})");
    Create(Path(kStores, "externalsecrets"), R"({"apiVersion":"external-secrets.io/v1",
        "kind":"ExternalSecret","metadata":{"name":"db"},"spec":{
        "secretStoreRef":{"name":"vault","kind":"SecretStore"},"data":[
        {"secretKey":"user","remoteRef":{"key":"prod/db","property":"user"}},
        {"secretKey":"password","remoteRef":{"key":"prod/db","property":"pw"}}]}})");
  }
  void SetSecret(const std::string& name, const std::string& data) {
    Patch(Path("v1", "secrets", name), R"({"stringData":)" + data + "}");
  }

  // --- webhooks ---

  void SetWebhook(const std::string& service, const std::string& bundle) {
    const std::string json = WebhookConfiguration(ns(), "none", ByService(ns(), service, bundle));
    if (std::exchange(has_webhook_, true)) {
      Patch(std::string(kConfigurations) + "/" + ns(), json);
    } else {
      Create(kConfigurations, json);
    }
  }
  std::string WebhookTarget() const { return "validatingwebhookconfiguration/" + ns(); }
  void CreateService(const std::string& name, const char* port_name, int port) {
    Create(Path("v1", "services"), Format(R"({"metadata":{"name":"%s"},"spec":{"clusterIP":"None",
                         "ports":[{"name":"%s","port":%d}]}})",
                                          name.c_str(), port_name, port));
  }

  // --- jobs ---

  void CreateJob() {
    Create(Path("batch/v1", "jobs"), R"({"metadata":{"name":"migrate"},"spec":{"template":{"spec":{
        "restartPolicy":"Never","containers":[{"name":"m","image":"m"}]}}}})");
  }
  void SetJob(const std::string& conditions, const std::string& more) {
    Patch(Path("batch/v1", "jobs", "migrate") + "/status",
          Status(conditions, R"("startTime":"2026-03-01T11:54:00Z",)" + more));
  }

 private:
  bool has_webhook_ = false;
};

// --- a Certificate that Vault refuses ---

// Vault names only the first name that it refuses, so that each failure tells of the next.
TEST_F(ClusterScenes, VaultRefusesThreeOfFiveNamesOneAfterTheOtherUntilItsRoleIsMended) {
  const Process wait = StartWait({"certificate/agent", "--timeout=5h", "--fail-fast"});
  ExpectSays(wait, "certificate/agent: not found yet");
  CreateAgentCertificate();
  const struct {
    const char* name;
    const char* field;
    const char* next;
  } refusals[] = {{"agent", "spec.dnsNames[2]", "59m"},
                  {"agent.default", "spec.dnsNames[3]", "1h59m"},
                  {"agent.default.svc", "spec.dnsNames[4]", "3h59m"}};
  int attempt = 0;
  for (const auto& [name, field, next] : refusals) {
    FailIssuance(++attempt, VaultRefuses({name}));
    ExpectSays(wait, Format("certificate/agent: Vault role agents refused: subject alternate name "
                            "%s not allowed by this role (%s); next attempt in %s",
                            name, field, next));
  }
  SetCertificateReady("agent", "True");
  ExpectMet(wait, "certificate.cert-manager.io/agent condition met\n");
}

TEST_F(ClusterScenes, ARefusalWhoseNextAttemptComesTooLateEndsAFailFastWaitAtOnce) {
  CreateAgentCertificate();
  FailIssuance(1, VaultRefuses({"agent", "agent.default", "agent.default.svc"}));
  const Process patient = StartWait({"certificate/agent"});
  ExpectSays(patient, "(spec.dnsNames[2], spec.dnsNames[3], spec.dnsNames[4]); next attempt in ");
  const Process hasty = StartWait({"certificate/agent", "--fail-fast"});
  ASSERT_NE(hasty, nullptr);
  const Outcome outcome = hasty->Wait(kPatience);
  EXPECT_EQ(outcome.exit_code, 3) << outcome.Describe();
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("certificate/agent: the next issuance is at "));
  EXPECT_THAT(outcome.err, HasSubstr(", too late"));
  SetCertificateReady("agent", "True");
  ExpectMet(patient, "certificate.cert-manager.io/agent condition met\n");
}

// --- an ExternalSecret ---

TEST_F(ClusterScenes, AnExternalSecretBehindAWebhookThatComesUpLateAndAStoreThatIsNotReady) {
  const Process wait =
      StartWait({WebhookTarget(), "externalsecret/db", "secret/db", "--keys=user,password"});
  ExpectSays(wait, "externalsecret/db: not found yet");
  SetWebhook("webhook", "");
  ExpectSays(wait, "no service/webhook in namespace " + ns());
  CreateService("webhook", "https", 443);
  ExpectSays(wait, "no ready endpoint on port 443");
  Create(Path(kSlices, "endpointslices"), HttpsSlice("webhook", true));
  ExpectSays(wait, "caBundle is empty");
  SetWebhook("webhook", CertAuthority().cert_pem());
  std::string met = Format(kWebhookMet, ns().c_str());
  ExpectPrints(wait, met);

  CreateExternalSecret();
  SetExternal("secretstores", "vault",
              Condition("Ready", "False", "InvalidProviderConfig",
                        "unable to log in to auth method: permission denied"));
  SetExternal("externalsecrets", "db",
              Condition("Ready", "False", "SecretSyncedError", "could not get provider client"));
  ExpectSays(
      wait, "externalsecret/db: Ready is False (SecretSyncedError: could not get provider client)");
  ExpectSays(wait,
             "secretstore/vault: is not ready (InvalidProviderConfig): unable to log in to auth "
             "method: permission denied");

  SetExternal("secretstores", "vault", Condition("Ready", "True", "Valid", "store validated"));
  SetExternal("externalsecrets", "db", Condition("Ready", "True", "SecretSynced", "synced"));
  met += "externalsecret.external-secrets.io/db condition met\n";
  ExpectPrints(wait, met);
  Create(Path("v1", "secrets"), R"({"metadata":{"name":"db"},"stringData":{"user":"u"}})");
  ExpectSays(wait, "secret/db: has no key password");
  SetSecret("db", R"({"password":""})");
  ExpectSays(wait, "secret/db: its key password is empty");
  SetSecret("db", R"({"password":"p"})");
  ExpectMet(wait, met + "secret/db condition met\n");
}

// --- what an API pod needs ---

// PostgreSQL as pg_isready sees it: starting up at first.
class StartingPostgres {
 public:
  StartingPostgres() : server_([this](Transport& peer) { Answer(peer); }) {}
  void Accept() { accepts_ = true; }
  std::string target() const { return "postgres://" + server_.endpoint().text; }

 private:
  void Answer(Transport& peer) {
    std::string startup;
    if (peer.Read(startup, 30s) != Wake::kData) return;
    const std::string ok("R\0\0\0\x08\0\0\0\0", 9);
    const std::string fields("SFATAL\0C57P03\0\0", 15);
    const char length = static_cast<char>(fields.size() + 4);
    peer.Write(accepts_ ? ok : std::string("E\0\0\0", 4) + length + fields);
    peer.Read(startup, 30s);  // until the client has gone
  }

  std::atomic<bool> accepts_ = false;
  TalkServer server_;
};

TEST_F(ClusterScenes, AnApiPodStartsWhenItsDatabaseItsSecretAndItsMigrationsAreThere) {
  StartingPostgres postgres;
  const Process wait = StartWait({"service/postgres", postgres.target(), "secret/postgres-secret",
                                  "job/migrate", "--keys=user,password"});
  ExpectSays(wait, "service/postgres: not found yet");
  ExpectSays(wait, postgres.target() + ": the server is starting up or shutting down");
  ExpectSays(wait, "secret/postgres-secret: not found yet");
  ExpectSays(wait, "job/migrate: not found yet");

  CreateService("postgres", "https", 5432);
  ExpectSays(wait, "service/postgres: no ready endpoint on port 5432 (0 ready, 0 not ready)");
  Create(Path(kSlices, "endpointslices"), HttpsSlice("postgres", true));
  std::string met = "service/postgres condition met\n";
  ExpectPrints(wait, met);
  postgres.Accept();
  met += postgres.target() + " condition met\n";
  ExpectPrints(wait, met);
  Create(Path("v1", "secrets"),
         R"({"metadata":{"name":"postgres-secret"},"stringData":{"password":"hunter2"}})");
  ExpectSays(wait, "secret/postgres-secret: has no key user");
  SetSecret("postgres-secret", R"({"user":"api"})");
  met += "secret/postgres-secret condition met\n";
  ExpectPrints(wait, met);
  CreateJob();
  SetJob("", R"("active":1,)");
  ExpectSays(wait, "job/migrate: not complete (1 active, 0 succeeded, 0 failed)");
  SetJob(Condition("SuccessCriteriaMet", "True", "CompletionsReached", "") + "," +
             Condition("Complete", "True", "CompletionsReached", ""),
         R"("active":0,"succeeded":1,"completionTime":"2026-03-01T11:55:00Z",)");
  ExpectMet(wait, met + "job.batch/migrate condition met\n");
  EXPECT_THAT(wait->Err(), Not(HasSubstr("hunter2")));
}

TEST_F(ClusterScenes, AnApiPodWhoseMigrationsFailEndsAtOnceWithStatus3) {
  StartingPostgres postgres;
  postgres.Accept();
  const Process wait = StartWait({"service/postgres", postgres.target(), "secret/postgres-secret",
                                  "job/migrate", "--keys=user,password"});
  CreateJob();
  SetJob("", R"("active":1,)");
  ExpectSays(wait, "job/migrate: not complete (1 active, 0 succeeded, 0 failed)");
  ExpectSays(wait, "service/postgres: not found yet");
  ExpectPrints(wait, postgres.target() + " condition met\n");
  SetJob(Condition("FailureTarget", "True", "BackoffLimitExceeded", "") + "," +
             Condition("Failed", "True", "BackoffLimitExceeded",
                       "Job has reached the specified backoff limit"),
         R"("active":0,"failed":7,)");
  const Outcome outcome = wait->Wait(kPatience);
  EXPECT_EQ(outcome.exit_code, 3) << outcome.Describe();
  EXPECT_THAT(outcome.err, HasSubstr("job/migrate: the Job failed"));
  EXPECT_THAT(outcome.err, HasSubstr("Job has reached the specified backoff limit"));
  EXPECT_EQ(outcome.out, postgres.target() + " condition met\n");
}

// --- a Helm hook ---

TEST_F(ClusterScenes, AHelmHookGoesOnWhenTheCrdIsServedAndItsWebhookCanBeCalled) {
  const std::string group = ns() + ".example.com";
  const std::string crd = "gizmos." + group;
  const Process wait = StartWait({"crd/" + crd, WebhookTarget()});
  ExpectSays(wait, "customresourcedefinition/" + crd + ": not found yet");
  ExpectSays(wait, WebhookTarget() + ": not found yet");
  Apply(Format(R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
      "metadata":{"name":"%s"},"spec":{"group":"%s","scope":"Namespaced",
      "names":{"kind":"Gizmo","plural":"gizmos","singular":"gizmo"},
      "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":
      {"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}})",
               crd.c_str(), group.c_str()));
  const std::string met =
      "customresourcedefinition.apiextensions.k8s.io/" + crd + " condition met\n";
  ExpectPrints(wait, met);
  SetWebhook("gizmos", "");
  ExpectSays(wait, "no service/gizmos in namespace " + ns());
  CreateService("gizmos", "https", 443);
  Create(Path(kSlices, "endpointslices"), HttpsSlice("gizmos", true));
  ExpectSays(wait, "caBundle is empty");
  SetWebhook("gizmos", CertAuthority().cert_pem());
  ExpectMet(wait, met + Format(kWebhookMet, ns().c_str()));
}

}  // namespace
}  // namespace certlatch::test

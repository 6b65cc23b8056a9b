#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "domain/base64.h"
#include "test/domain/readiness_case.h"
#include "test/support/pki.h"

namespace certlatch {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const char* const kTarget = "validatingwebhookconfiguration/policy";
const char* const kService = R"({"spec":{"ports":[{"name":"https","port":443},
                                                  {"name":"metrics","port":8080}]}})";

std::string Bundle(const std::string& pem) { return EncodeBase64(pem); }

const std::string& GoodBundle() {
  static const std::string bundle = Bundle(test::CertAuthority().cert_pem());
  return bundle;
}

std::string Valid(Duration from, Duration to) {
  test::CertSpec spec;
  spec.is_ca = true;
  spec.not_before = from;
  spec.not_after = to;
  return test::CertAuthority().Issue(spec).cert;
}

std::string Config(const std::string& bundle, const std::string& port = "",
                   const std::string& service = "hooks", const std::string& ns = "ops") {
  return Format(R"({"caBundle":"%s","service":{"name":"%s","namespace":"%s"%s}})", bundle.c_str(),
                service.c_str(), ns.c_str(), port.c_str());
}

std::string Webhook(const std::string& config, const std::string& name = "validate.example.com") {
  return Format(R"({"name":"%s","clientConfig":%s})", name.c_str(), config.c_str());
}

Collection Configuration(const std::string& webhooks) {
  return Objects({R"({"webhooks":[)" + webhooks + "]}"});
}

Collection Slice(const char* port_name, const char* ready) {
  return Objects({Format(R"({"ports":[{"name":"%s"}],"endpoints":[{"addresses":["10.0.0.1"],
                             "conditions":{"ready":%s}}]})",
                         port_name, ready)});
}

// Of one webhook whose Service and slices are these.
std::string WebhookReason(const std::string& config, const Collection& services,
                          const Collection& slices) {
  return Reason(kTarget, {Configuration(Webhook(config)), services, slices});
}

TEST(WebhookReadiness, IsAServiceAPortAReadyEndpointAndABundle) {
  for (const char* target :
       {"validatingwebhookconfiguration/policy", "mutatingwebhookconfiguration/policy"}) {
    const Verdict verdict = Judge(target, {Configuration(Webhook(Config(GoodBundle()))),
                                           Objects({kService}), Slice("https", "true")});
    EXPECT_EQ(verdict.state, State::kMet) << verdict.reason;
  }
}

TEST(WebhookReadiness, NamesTheLinkThatIsMissing) {
  EXPECT_EQ(WebhookReason(Config(GoodBundle()), Objects({}), Objects({})),
            "webhook validate.example.com: no service/hooks in namespace ops");
  EXPECT_EQ(WebhookReason(Config(GoodBundle(), R"(,"port":9443)"), Objects({kService}),
                          Slice("https", "true")),
            "webhook validate.example.com: service/hooks in namespace ops: has no port 9443 (its "
            "ports: 443 https, 8080 metrics)");
  EXPECT_EQ(WebhookReason(Config(GoodBundle()), Objects({kService}), Slice("https", "false")),
            "webhook validate.example.com: service/hooks in namespace ops: no ready endpoint on "
            "port 443 (0 ready, 1 not ready)");
  EXPECT_EQ(WebhookReason(Config(""), Objects({kService}), Slice("https", "true")),
            "webhook validate.example.com: caBundle is empty (has cert-manager's cainjector run?)");
}

TEST(WebhookReadiness, LooksAtThePortThatTheWebhookNames) {
  const std::vector<Collection> on_metrics = {
      Configuration(Webhook(Config(GoodBundle(), R"(,"port":8080)"))), Objects({kService}),
      Slice("metrics", "true")};
  EXPECT_EQ(Judge(kTarget, on_metrics).state, State::kMet);
  EXPECT_THAT(WebhookReason(Config(GoodBundle()), Objects({kService}), Slice("metrics", "true")),
              HasSubstr("no ready endpoint on port 443"));
}

TEST(WebhookReadiness, AsksForOneEndpointWhateverMinReadyAsksOfServices) {
  ReadinessSettings settings;
  settings.min_ready = 3;
  EXPECT_EQ(Judge(kTarget,
                  {Configuration(Webhook(Config(GoodBundle()))), Objects({kService}),
                   Slice("https", "true")},
                  settings)
                .state,
            State::kMet);
}

std::vector<Reachable> Servers(const std::vector<Collection>& collections) {
  std::vector<const Collection*> pointers;
  pointers.reserve(collections.size());
  for (const Collection& collection : collections) pointers.push_back(&collection);
  return ReadinessServers(TargetOf(kTarget), pointers);
}

Collection ServiceAt(const char* place) {
  return Objects({Format(R"({"spec":{%s,"ports":[{"name":"https","port":443}]}})", place)});
}

TEST(WebhookReadiness, AServiceIsCalledAtItsAddressByItsName) {
  const std::string pem = test::CertAuthority().cert_pem();
  const auto servers = Servers({Configuration(Webhook(Config(Bundle(pem), R"(,"port":8443)"))),
                                ServiceAt(R"("clusterIP":"10.96.0.7")"), Slice("https", "true")});
  ASSERT_EQ(servers.size(), 1U);
  EXPECT_EQ(servers[0].url, "https://hooks.ops.svc:8443/");
  EXPECT_EQ(servers[0].address, "10.96.0.7");
  EXPECT_EQ(servers[0].ca_pem, pem);
  EXPECT_EQ(servers[0].text, "webhook validate.example.com");
  EXPECT_EQ(servers[0].called, "service/hooks in namespace ops");
}

TEST(WebhookReadiness, AnExternalNameIsCalledByTheServicesName) {
  const auto servers = Servers(
      {Configuration(Webhook(Config(GoodBundle()))),
       ServiceAt(R"("type":"ExternalName","externalName":"hooks.example.com")"), Objects({})});
  ASSERT_EQ(servers.size(), 1U);
  EXPECT_EQ(servers[0].url, "https://hooks.ops.svc:443/");
  EXPECT_EQ(servers[0].address, "hooks.example.com");
}

TEST(WebhookReadiness, AServerThatServesSeveralWebhooksIsAskedOnce) {
  const auto servers = Servers(
      {Configuration(Webhook(Config(GoodBundle()), "a") + "," + Webhook(Config(GoodBundle()), "b") +
                     "," + Webhook(Config(Bundle(Valid(-1h, 1h))), "c")),
       ServiceAt(R"("clusterIP":"fd00::7")"), Slice("https", "true")});
  ASSERT_EQ(servers.size(), 2U) << "one for each bundle";
  EXPECT_EQ(servers[0].text, "webhook a");
  EXPECT_EQ(servers[1].text, "webhook c");
}

TEST(WebhookReadiness, ThePathOfAUrlIsNotCalled) {
  const auto servers = Servers({Configuration(
      Webhook(Format(R"({"url":"https://hooks.example.com:9443/v?x=y","caBundle":"%s"})",
                     GoodBundle().c_str())))});
  ASSERT_EQ(servers.size(), 1U);
  EXPECT_EQ(servers[0].url, "https://hooks.example.com:9443/");
  EXPECT_EQ(servers[0].address, "");
  EXPECT_EQ(servers[0].called, "hooks.example.com:9443");
}

TEST(WebhookReadiness, AServerWithoutAPlaceOrABundleIsNotCalled) {
  for (const char* place : {R"("clusterIP":"None")", R"("clusterIP":"")", R"("type":"ClusterIP")",
                            R"("clusterIP":"a b")", R"("clusterIP":7)"}) {
    EXPECT_TRUE(Servers({Configuration(Webhook(Config(GoodBundle()))), ServiceAt(place),
                         Slice("https", "true")})
                    .empty())
        << place;
  }
  for (const char* config :
       {R"({"url":"http://plain/","caBundle":"%s"})", R"({"url":"","caBundle":"%s"})",
        R"({"url":"https://public/"})", R"({"caBundle":"%s"})"}) {
    EXPECT_TRUE(Servers({Configuration(Webhook(Format(config, GoodBundle().c_str())))}).empty())
        << config;
  }
}

TEST(WebhookReadiness, NoMoreServersAreCalledThanServicesAreWatched) {
  std::string webhooks;
  for (int i = 0; i < 30; ++i) {
    if (i > 0) webhooks += ',';
    webhooks +=
        Webhook(Format(R"({"url":"https://host%d/","caBundle":"%s"})", i, GoodBundle().c_str()));
  }
  EXPECT_EQ(Servers({Configuration(webhooks)}).size(), 20U);
}

TEST(WebhookReadiness, NeedsABundleThatParsesAndIsValid) {
  auto reason = [](const std::string& bundle) {
    return WebhookReason(Config(bundle), Objects({kService}), Slice("https", "true"));
  };
  EXPECT_THAT(reason("%"), EndsWith("caBundle is not base64"));
  EXPECT_THAT(reason("Cg=="), EndsWith("caBundle holds no PEM certificate"));
  EXPECT_THAT(reason(Bundle(test::PemBlock("CERTIFICATE", "x"))),
              EndsWith("caBundle: certificate 1 does not parse"));
  EXPECT_THAT(reason(Bundle(Valid(-3h, -1h))), HasSubstr("caBundle expired at 2"));
}

TEST(WebhookReadiness, NeedsOneValidCertificateBesideExpiredOnes) {
  const std::string rotated = Bundle(Valid(-3h, -1h) + Valid(-1h, 3h));
  const Verdict verdict = Judge(kTarget, {Configuration(Webhook(Config(rotated))),
                                          Objects({kService}), Slice("https", "true")});
  EXPECT_EQ(verdict.state, State::kMet) << verdict.reason;
}

TEST(WebhookReadiness, SaysWhenABundleBecomesValid) {
  const std::vector<Collection> objects = {
      Configuration(Webhook(Config(Bundle(Valid(2h, 5h) + Valid(1h, 5h) + Valid(-3h, -1h))))),
      Objects({kService}), Slice("https", "true")};
  const Verdict early = Judge(kTarget, objects);
  EXPECT_THAT(early.reason, HasSubstr("caBundle is not valid before 2"));
  ASSERT_TRUE(early.recheck.has_value());
  EXPECT_LT(*early.recheck, kNow + 90min);
  EXPECT_EQ(Judge(kTarget, objects, {}, *early.recheck).state, State::kMet);
}

TEST(WebhookReadiness, OfAUrlIsItsBundleAlone) {
  auto judge = [](const std::string& bundle) {
    return Judge(
        kTarget,
        {Configuration(Webhook(
            Format(R"({"url":"https://hooks.example.com/v","caBundle":"%s"})", bundle.c_str())))});
  };
  EXPECT_EQ(judge(GoodBundle()).state, State::kMet);
  EXPECT_EQ(judge("").state, State::kMet);  // the API server trusts public authorities then
  EXPECT_THAT(judge("Cg==").reason, EndsWith("caBundle holds no PEM certificate"));
}

TEST(WebhookReadiness, OfAServiceOfTypeExternalNameHasNoEndpointsToLookAt) {
  const std::vector<Collection> objects = {
      Configuration(Webhook(Config(GoodBundle()))),
      Objects({R"({"spec":{"type":"ExternalName","externalName":"h.example.com"}})"}), Objects({})};
  EXPECT_EQ(Judge(kTarget, objects).state, State::kMet);
}

TEST(WebhookReadiness, OfNoWebhooksIsMetSinceNothingIsCalled) {
  EXPECT_EQ(Judge(kTarget, {Configuration("")}).state, State::kMet);
  EXPECT_EQ(Judge(kTarget, {Objects({"{}"})}).state, State::kMet);
}

TEST(WebhookReadiness, IsOfEveryWebhook) {
  const std::string good = Webhook(Config(GoodBundle()), "a.example.com");
  const std::string bad = Webhook(Config(GoodBundle(), "", "other"), "b.example.com");
  const std::vector<Collection> objects = {Configuration(good + "," + bad), Objects({kService}),
                                           Slice("https", "true"), Objects({}), Objects({})};
  EXPECT_EQ(Reason(kTarget, objects), "webhook b.example.com: no service/other in namespace ops");
}

// --- what it needs ---

std::vector<Selection> Needs(const std::string& target, const Collection& itself) {
  return ReadinessNeeds(TargetOf(target), {&itself});
}

TEST(WebhookReadiness, NeedsItselfFirstAndThenEachServiceOnceWithItsSlices) {
  EXPECT_EQ(ReadinessNeeds(TargetOf(kTarget), {}).size(), 1U);
  EXPECT_EQ(Needs(kTarget, Objects({})).size(), 1U);
  const auto needs = Needs(
      kTarget, Configuration(Webhook(Config("")) + "," + Webhook(Config("x"), "same.example.com") +
                             "," + Webhook(Config("", "", "hooks", "dev")) + "," +
                             Webhook(R"({"url":"https://hooks.example.com"})")));
  ASSERT_EQ(needs.size(), 5U);
  EXPECT_EQ(needs[0].name, "policy");
  EXPECT_EQ(needs[1].resource.GroupResource(), "services");
  EXPECT_EQ(needs[1].name, "hooks");
  EXPECT_EQ(needs[1].ns, "ops");
  EXPECT_EQ(needs[2].resource.GroupResource(), "endpointslices.discovery.k8s.io");
  EXPECT_EQ(needs[2].ns, "ops");
  EXPECT_EQ(needs[2].name, "");
  EXPECT_EQ(needs[2].label_selector, "kubernetes.io/service-name=hooks");
  EXPECT_EQ(needs[3].ns, "dev");
  EXPECT_EQ(needs[4].ns, "dev");
}

TEST(WebhookReadiness, NeedsNothingOfAServiceWithoutAName) {
  for (const char* config : {R"({"service":{"namespace":"ops"}})", R"({"service":{"name":"a"}})",
                             R"({"service":{"name":"../a","namespace":"ops"}})", "{}"}) {
    const Collection configuration = Configuration(Webhook(config));
    EXPECT_EQ(Needs(kTarget, configuration).size(), 1U) << config;
    EXPECT_THAT(Reason(kTarget, {configuration}), EndsWith("its clientConfig names no Service"));
  }
}

TEST(WebhookReadiness, IsNotMetWithoutTheServicesThatItNeeds) {
  EXPECT_THAT(Reason(kTarget, {Configuration(Webhook(Config("")))}),
              EndsWith("its Service is one too many to be watched"));
}

TEST(WebhookReadiness, WatchesABoundedNumberOfServices) {
  std::vector<Collection> objects(1);
  std::string webhooks;
  auto add = [&](int i) {
    const std::string config = Config(GoodBundle(), "", Format("hooks-%d", i));
    webhooks += (i == 0 ? "" : ",") + Webhook(config, Format("%d.example.com", i));
    objects[0] = Configuration(webhooks);
  };
  for (int i = 0; i < 20; ++i) {
    add(i);
    objects.push_back(Objects({kService}));
    objects.push_back(Slice("https", "true"));
  }
  EXPECT_EQ(Needs(kTarget, objects[0]).size(), 41U);
  EXPECT_EQ(Judge(kTarget, objects).state, State::kMet);
  add(20);
  EXPECT_EQ(Needs(kTarget, objects[0]).size(), 41U);
  EXPECT_EQ(Reason(kTarget, objects),
            "webhook 20.example.com: its Service is one too many to be watched");
}

// --- crd ---

std::string Crd(const char* names_accepted, const char* established, const std::string& config) {
  return Format(
      R"({"spec":{"conversion":{"strategy":"%s","webhook":{"clientConfig":%s}}},
          "status":{"conditions":[
            {"type":"NamesAccepted","status":"%s","reason":"ListKindConflict","message":"taken"},
            {"type":"Established","status":"%s","reason":"Installing"}]}})",
      config.empty() ? "None" : "Webhook", config.empty() ? "null" : config.c_str(), names_accepted,
      established);
}

TEST(CrdReadiness, IsAcceptedNamesAndEstablished) {
  constexpr const char* kCrd = "crd/widgets.example.com";
  EXPECT_EQ(Judge(kCrd, {Objects({Crd("True", "True", "")})}).state, State::kMet);
  EXPECT_EQ(Reason(kCrd, {Objects({Crd("False", "False", "")})}),
            "NamesAccepted is False (ListKindConflict: taken)");
  EXPECT_EQ(Reason(kCrd, {Objects({Crd("True", "False", "")})}),
            "Established is False (Installing)");
  EXPECT_EQ(Reason(kCrd, {Objects({"{}"})}), "has no condition NamesAccepted yet");
}

TEST(CrdReadiness, IncludesItsConversionWebhook) {
  constexpr const char* kCrd = "crd/widgets.example.com";
  const Collection crd = Objects({Crd("True", "True", Config(GoodBundle()))});
  EXPECT_EQ(Needs(kCrd, crd).size(), 3U);
  EXPECT_EQ(Judge(kCrd, {crd, Objects({kService}), Slice("https", "true")}).state, State::kMet);
  EXPECT_EQ(Reason(kCrd, {crd, Objects({}), Objects({})}),
            "conversion webhook: no service/hooks in namespace ops");
  const Collection empty = Objects({Crd("True", "True", Config(""))});
  EXPECT_THAT(Reason(kCrd, {empty, Objects({kService}), Slice("https", "true")}),
              StartsWith("conversion webhook: caBundle is empty"));
}

}  // namespace
}  // namespace certlatch

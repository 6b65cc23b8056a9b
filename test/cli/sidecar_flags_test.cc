#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/duration.h"
#include "base/text.h"
#include "test/cli/lines.h"

namespace certlatch {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using Source = ReloadOptions::Source;

const std::string kSidecar = "sidecar --volume /tls ";

SidecarOptions Sidecar(const std::string& flags) { return ParsedLine(kSidecar + flags).sidecar; }

std::string Shown(const std::string& text) { return text; }
std::string Shown(Duration duration) { return FormatDuration(duration); }

TEST(SidecarFlags, NeedNothingButAVolume) {
  const Command command = ParsedLine("sidecar --volume=/tls", Surroundings());
  EXPECT_EQ(command.kind, Command::Kind::kSidecar);
  EXPECT_EQ(command.connection.server, "");
  EXPECT_EQ(command.output.termination_log, kTerminationLog);
  const SidecarOptions& sidecar = command.sidecar;
  EXPECT_EQ(sidecar.pod.volume.directory, "/tls");
  EXPECT_EQ(sidecar.pod.volume.cert_file, "tls.crt");
  EXPECT_EQ(sidecar.expect.source, Source::kNone);
  EXPECT_FALSE(sidecar.reload.expect_on_change);
  for (const ReloadMethod method :
       {ReloadMethod::kSignal, ReloadMethod::kHttp, ReloadMethod::kExec, ReloadMethod::kTouch}) {
    EXPECT_FALSE(sidecar.pod.tell.Uses(method));
  }
  EXPECT_FALSE(sidecar.pod.prove.has_value());
  EXPECT_THAT(sidecar.wait.targets, IsEmpty());
  EXPECT_EQ(sidecar.wait.timeout, 180s);
  EXPECT_EQ(sidecar.unready_when, UnreadyWhen::kExpired);
  EXPECT_EQ(sidecar.listen, ":9847");
}

TEST(SidecarFlags, PutTextsWhereTheyBelong) {
  static constexpr struct {
    const char* flags;
    std::string (*option)(const SidecarOptions&);
    const char* value;
  } kLines[] = {
#define OPTION(member) [](const SidecarOptions& sidecar) { return Shown(sidecar.member); }
      {"--volume=certs", OPTION(pod.volume.directory), "certs"},
      {"--cert-file a.pem", OPTION(pod.volume.cert_file), "a.pem"},
      {"--key-file sub/a..key", OPTION(pod.volume.key_file), "sub/a..key"},
      {"--ca-file=root.crt", OPTION(pod.volume.ca_file), "root.crt"},
      {"--annotation-prefix=tls.example.com", OPTION(expect.annotation_prefix), "tls.example.com"},
      {"--require-name *.example.com", OPTION(require_name), "*.example.com"},
      {"--min-validity 24h", OPTION(reload.min_validity), "24h0m0s"},
      {"--prove [::1]:8443 --prove-within=5s", OPTION(reload.prove_within), "5s"},
      {"--signal HUP --process nginx", OPTION(pod.tell.signal.process), "nginx"},
      {"--signal HUP --pid-file /run/p", OPTION(pod.tell.signal.pid_file), "/run/p"},
      {"--signal HUP --process n --first-signal-after=0",
       OPTION(pod.tell.signal.first_signal_after), "0s"},
      {"--http \"GET http://a/r\"", OPTION(pod.tell.http.request), "GET http://a/r"},
      {"--http \"GET http://a\" --http-body {}", OPTION(pod.tell.http.body), "{}"},
      {"--http \"GET http://a\" --http-status=200,3xx", OPTION(pod.tell.http.statuses), "200,3xx"},
      {"--http \"GET http://a\" --http-timeout=1s", OPTION(pod.tell.http.timeout), "1s"},
      {"--http \"GET http://a\" --http-auth-file=/a", OPTION(pod.tell.http.auth_file), "/a"},
      {"--http \"GET http://a\" --http-ca-file=/c", OPTION(pod.tell.http.ca_file), "/c"},
      {"--touch /etc/app/stamp", OPTION(pod.tell.touch), "/etc/app/stamp"},
      {"--exec --exec-timeout=1m -- true", OPTION(pod.tell.exec.timeout), "1m0s"},
      {"--timeout=5m", OPTION(reload.timeout), "5m0s"},
      {"--timeout=5m", OPTION(wait.timeout), "5m0s"},
      {"--accept-newer-after=0", OPTION(reload.accept_newer_after), "0s"},
      {"--debounce=0", OPTION(reload.debounce), "0s"},
      {"--resync=10s", OPTION(reload.resync), "10s"},
      {"--listen=off", OPTION(listen), ""},
      {"--listen=[::1]:0", OPTION(listen), "[::1]:0"},
#undef OPTION
  };
  for (const auto& line : kLines) EXPECT_EQ(line.option(Sidecar(line.flags)), line.value);
}

TEST(SidecarFlags, KnowSignalsByNameAndNumber) {
  static constexpr struct {
    const char* name;
    int number;
  } kSignals[] = {{"HUP", 1},   {"SIGHUP", 1}, {"INT", 2},    {"USR1", 10}, {"SIGUSR2", 12},
                  {"TERM", 15}, {"CONT", 18},  {"WINCH", 28}, {"1", 1},     {"64", 64}};
  for (const auto& signal : kSignals) {
    EXPECT_EQ(Sidecar(Format("--process=a --signal=%s", signal.name)).pod.tell.signal.number,
              signal.number)
        << signal.name;
  }
  for (const char* name :
       {"KILL", "SIGSTOP", "9", "19", "0", "65", "-1", "hup", "SIG", "SIG1", ""}) {
    EXPECT_EQ(
        RefusedLine(Format("sidecar --volume=/tls --process=a --signal=%s", name)),
        Format("error: invalid argument \"%s\" for \"--signal\" flag: must be HUP, INT, USR1, "
               "USR2, TERM, CONT, WINCH or a number from 1 to 64, but not KILL or STOP, which "
               "no app can handle (see 'certlatch sidecar --help')",
               name));
  }
}

TEST(SidecarFlags, TakeTheCommandBehindTwoDashesAsItIs) {
  const SidecarOptions sidecar = Sidecar("--exec --touch=/t -- nginx -s reload --touch=/x --");
  EXPECT_THAT(sidecar.pod.tell.exec.command,
              ElementsAre("nginx", "-s", "reload", "--touch=/x", "--"));
  EXPECT_EQ(sidecar.pod.tell.touch, "/t");
}

TEST(SidecarFlags, AddWhatMayBeRepeated) {
  const SidecarOptions sidecar = Sidecar(
      "--http \"PUT http://unix:/run/a.sock:/r\" --http-header \"A: b, c\" --http-header B:d "
      "--wait secret/db@data --wait service/api:https");
  EXPECT_THAT(sidecar.pod.tell.http.headers, ElementsAre("A: b, c", "B:d"));
  ASSERT_EQ(sidecar.wait.targets.size(), 2U);
  EXPECT_EQ(sidecar.wait.targets[0].name, "db");
  EXPECT_EQ(sidecar.wait.targets[0].ns, "data");
  EXPECT_EQ(sidecar.wait.targets[1].port, "https");
  EXPECT_THAT(sidecar.wait.goals, IsEmpty());
}

TEST(SidecarFlags, SayWhoKnowsTheRightCertificate) {
  const ExpectOptions lease = Sidecar("--expect lease/web").expect;
  EXPECT_EQ(lease.source, Source::kLease);
  EXPECT_EQ(lease.name, "web");
  EXPECT_EQ(lease.ns, "prod");
  const ExpectOptions secret = Sidecar("--expect=secret/web-tls@infra -n other").expect;
  EXPECT_EQ(secret.source, Source::kSecret);
  EXPECT_EQ(secret.name, "web-tls");
  EXPECT_EQ(secret.ns, "infra");
  EXPECT_EQ(Sidecar("--expect=lease/a --expect=none").expect.source, Source::kNone);
  EXPECT_TRUE(Sidecar("--expect=lease/a --lease-mode=on-change").reload.expect_on_change);
  EXPECT_FALSE(Sidecar("--expect=lease/a --lease-mode=watch").reload.expect_on_change);
}

TEST(SidecarFlags, SayWhereTheAppServes) {
  const auto prove =
      Sidecar("--prove=localhost:5432,sni=db.example.com,starttls=postgres").pod.prove;
  ASSERT_TRUE(prove.has_value());
  EXPECT_EQ(prove->endpoint.port, 5432);
  EXPECT_EQ(prove->sni, "db.example.com");
  EXPECT_TRUE(prove->postgres);
}

TEST(SidecarFlags, SayWhenThePodIsUnready) {
  EXPECT_EQ(Sidecar("--unready-when=expired").unready_when, UnreadyWhen::kExpired);
  EXPECT_EQ(Sidecar("--unready-when=broken").unready_when, UnreadyWhen::kBroken);
  EXPECT_EQ(Sidecar("--unready-when=never").unready_when, UnreadyWhen::kNotAtAll);
}

TEST(SidecarFlags, NeedTheApiServerOnlyToAskIt) {
  for (const char* flags : {"--expect=lease/a", "--expect=secret/a", "--wait=job/migrate"}) {
    const Command command = ParsedLine(kSidecar + flags);
    EXPECT_EQ(command.connection.server, "https://10.96.0.1:443");
    EXPECT_EQ(command.sidecar.wait.ns, "prod");
    EXPECT_TRUE(command.sidecar.watch.retry_unauthorized);
    EXPECT_THAT(RefusedLine(kSidecar + flags, Surroundings()),
                StartsWith("error: no API server: "));
    const Command fixed = ParsedLine(kSidecar + flags + " --token=t");
    EXPECT_FALSE(fixed.sidecar.watch.retry_unauthorized);
    EXPECT_FALSE(fixed.sidecar.wait.watch.retry_unauthorized);
  }
  EXPECT_EQ(ParsedLine(kSidecar + "--server=https://a --token=t --token-file=f").connection.server,
            "");
}

TEST(SidecarFlags, AreRefusedWhereTheyContradictEachOther) {
  static constexpr struct {
    const char* flags;
    const char* error;
  } kLines[] = {
      {"--process=nginx", "--process needs --signal (see 'certlatch sidecar --help')"},
      {"--pid-file=/p", "--pid-file needs --signal (see 'certlatch sidecar --help')"},
      {"--first-signal-after=1s",
       "--first-signal-after needs --signal (see 'certlatch sidecar --help')"},
      {"--signal=HUP", "--signal needs --process or --pid-file"},
      {"--http-header=A:b", "--http-header needs --http (see 'certlatch sidecar --help')"},
      {"--http-body=x", "--http-body needs --http (see 'certlatch sidecar --help')"},
      {"--http-status=200", "--http-status needs --http (see 'certlatch sidecar --help')"},
      {"--http-timeout=1s", "--http-timeout needs --http (see 'certlatch sidecar --help')"},
      {"--http-auth-file=/a", "--http-auth-file needs --http (see 'certlatch sidecar --help')"},
      {"--http-ca-file=/a", "--http-ca-file needs --http (see 'certlatch sidecar --help')"},
      {"--exec-timeout=1s", "--exec-timeout needs --exec (see 'certlatch sidecar --help')"},
      {"--exec-timeout=1s -- true", "--exec-timeout needs --exec (see 'certlatch sidecar --help')"},
      {"--prove-within=1s", "--prove-within needs --prove (see 'certlatch sidecar --help')"},
      {"--lease-mode=watch", "--lease-mode needs --expect=lease/NAME"},
      {"--lease-mode=on-change --expect=secret/a", "--lease-mode needs --expect=lease/NAME"},
      {"--nudge --expect=none", "--nudge needs --expect=lease/NAME or secret/NAME"},
      {"--exec", "--exec needs a command: --exec -- COMMAND..."},
      {"--exec --", "--exec needs a command: --exec -- COMMAND..."},
      {"-- true", "a command after -- needs --exec"},
      {"--exec=false -- true", "a command after -- needs --exec"},
      {"--exec nginx -- true", "unexpected argument \"nginx\""},
      {"--exec nginx", "unexpected argument \"nginx\""},
  };
  for (const auto& line : kLines) {
    EXPECT_EQ(RefusedLine(kSidecar + line.flags), Format("error: %s", line.error));
  }
  EXPECT_EQ(RefusedLine("sidecar --touch=/t"),
            "error: no volume: give --volume, the directory where the certificate is mounted");
}

TEST(SidecarFlags, NeedNoApiServerToWaitForWhatIsOutsideOfIt) {
  const std::string line = "sidecar --volume /tls --wait tcp://db:5432";
  EXPECT_EQ(ParsedLine(line, {}).connection.server, "");
  EXPECT_NE(ParsedLine(line + " --wait pod/a").connection.server, "");
  EXPECT_THAT(RefusedLine(line + " --wait pod/a", {}), HasSubstr("no API server"));
}

TEST(SidecarFlags, TheLastExpectCounts) {
  const std::string line = "sidecar --write /tls=secret/a --expect=lease/b";
  EXPECT_EQ(ParsedLine(line + " --expect=none").sidecar.expect.name, "a");
  EXPECT_THAT(RefusedLine(line), HasSubstr("no --expect"));
}

TEST(SidecarFlags, AreRefusedWithAValueThatMeansNothing) {
  static constexpr struct {
    const char* flag;
    const char* value;
    const char* error;
  } kLines[] = {
      {"volume", "", "must not be empty"},
      {"touch", "", "must not be empty"},
      {"http", "", "must not be empty"},
      {"process", "", "must not be empty"},
      {"cert-file", "", "must be the name of a file within the volume"},
      {"cert-file", "/tls.crt", "must be the name of a file within the volume"},
      {"key-file", "a/../../b", "must be the name of a file within the volume"},
      {"key-file", "..", "must be the name of a file within the volume"},
      {"ca-file", "a/", "must be the name of a file within the volume"},
      {"expect", "web", "must be lease/NAME, secret/NAME or none"},
      {"expect", "configmap/web", "must be lease/NAME, secret/NAME or none"},
      {"expect", "lease/", "must be lease/NAME, secret/NAME or none"},
      {"expect", "lease/a@", "must be lease/NAME, secret/NAME or none"},
      {"expect", "lease|secret/a", "must be lease/NAME, secret/NAME or none"},
      {"annotation-prefix", "a/b", "must be a DNS name in lower case, such as kubetemplater.io"},
      {"annotation-prefix", "", "must be a DNS name in lower case, such as kubetemplater.io"},
      {"annotation-prefix", "Example.com",
       "must be a DNS name in lower case, such as kubetemplater.io"},
      {"lease-mode", "poll", "must be watch or on-change"},
      {"unready-when", "always", "must be expired, broken or never"},
      {"accept-newer-after", "-1s", "must not be negative"},
      {"debounce", "-1s", "must not be negative"},
      {"min-validity", "-1s", "must not be negative"},
      {"first-signal-after", "-1s", "must not be negative"},
      {"timeout", "0", "must be more than 0"},
      {"resync", "0s", "must be more than 0"},
      {"http-timeout", "-1s", "must be more than 0"},
      {"exec-timeout", "0", "must be more than 0"},
      {"prove-within", "0", "must be more than 0"},
      {"prove", "web", "\"web\": must be HOST:PORT, with a port from 1 to 65535"},
      {"listen", "web:1",
       "cannot listen on \"web:1\": want ADDR:PORT, such as :9847, 127.0.0.1:9847 or [::1]:9847"},
      {"wait", "secret/..", "target \"secret/..\": \"..\" is no object name"},
      {"wait", "secret", "resource(s) were provided, but no name was specified"},
  };
  for (const auto& line : kLines) {
    EXPECT_EQ(RefusedLine(Format("sidecar --volume=/tls --%s=%s", line.flag, line.value)),
              Format("error: invalid argument \"%s\" for \"--%s\" flag: %s (see 'certlatch sidecar "
                     "--help')",
                     line.value, line.flag, line.error));
  }
}

TEST(SidecarFlags, NeverShowWhatMayBeASecretOfARequest) {
  EXPECT_EQ(RefusedLine(kSidecar + "--http \"POST http://user:hunter2@a/\""),
            "error: --http \"...\": want a method (GET, POST, PUT, PATCH) and a URL without "
            "credentials (see --http-auth-file), such as \"POST http://localhost:9090/reload\" or "
            "\"POST http://unix:/run/app.sock:/reload\"");
  EXPECT_EQ(RefusedLine(kSidecar + "--http \"GET http://a\" --http-header hunter2"),
            "error: --http-header: want \"Name: value\" of printable ASCII, and none that frames "
            "the request");
  EXPECT_EQ(RefusedLine(kSidecar + "--http \"GET http://a\" --http-status=ok"),
            "error: --http-status \"ok\": want statuses such as 200,204 or 2xx, from 100 to 599");
}

TEST(SidecarFlags, BoundTheirTargets) {
  std::string line = kSidecar;
  for (size_t i = 0; i < kMaxTargets; ++i) line += " --wait=job/a";
  EXPECT_EQ(ParsedLine(line).sidecar.wait.targets.size(), kMaxTargets);
  EXPECT_EQ(RefusedLine(line + " --wait=job/b"),
            "error: invalid argument \"job/b\" for \"--wait\" flag: more than 100 targets (see "
            "'certlatch sidecar --help')");
}

}  // namespace
}  // namespace certlatch

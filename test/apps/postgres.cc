#include "test/apps/postgres.h"

#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "test/system/certlatch_run.h"

namespace certlatch::test {
namespace {

const passwd& Account() {
  const passwd* const account = getpwnam("postgres");  // NOLINT(concurrency-mt-unsafe)
  if (account == nullptr) {
    ADD_FAILURE() << "there is no user postgres: PostgreSQL is not installed (test/run.sh does)";
    std::abort();
  }
  return *account;
}

// The newest version that is installed.
std::string Program(const std::string& name) {
  std::string newest;
  std::error_code absent;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql", absent)) {
    newest = std::max(newest, entry.path().string());
  }
  return newest + "/bin/" + name;
}

std::vector<std::string> AsPostgres(std::vector<std::string> argv) {
  std::vector<std::string> all = {"/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres",
                                  "--init-groups"};
  all.insert(all.end(), argv.begin(), argv.end());
  return all;
}

}  // namespace

uid_t Postgres::User() { return Account().pw_uid; }
gid_t Postgres::Group() { return Account().pw_gid; }
VolumeRules Postgres::Rules() { return {.default_mode = 0440, .fs_group = Group()}; }

Postgres::Postgres(const TlsVolume& volume, Role role) : App(Talk::kPostgres) {
  if (chown(directory().c_str(), User(), Group()) != 0) std::abort();
  Command command;
  command.argv = AsPostgres({Program("initdb"), "--pgdata=" + File("data"), "--no-sync",
                             "--auth=trust", "--locale=C", "--username=postgres"});
  command.path = command.argv[0];
  command.env = BasicEnvironment();
  const Result<Outcome> made = RunProgram(command, kPatience);
  EXPECT_TRUE(made && made->exit_code == 0) << (made ? made->out + made->err : made.error().text);
  if (role == Role::kStandby) Write("data/standby.signal", "");
  Start(AsPostgres({Program("postgres"), "-D", File("data"), "-p", std::to_string(port()), "-c",
                    "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c",
                    "fsync=off", "-c", "hot_standby=off", "-c", "ssl=on", "-c",
                    "ssl_cert_file=" + volume.File("tls.crt"), "-c",
                    "ssl_key_file=" + volume.File("tls.key")}));
}

int Postgres::PgIsReady() const {
  Command command;
  command.argv = {Program("pg_isready"), "-h", "127.0.0.1", "-p", std::to_string(port())};
  command.path = command.argv[0];
  command.env = BasicEnvironment();
  const Result<Outcome> asked = RunProgram(command, kPatience);
  return asked ? asked->exit_code.value_or(-1) : -1;
}

// Its children are not of its group, and its shared memory would stay.
Postgres::~Postgres() {
  process().Signal(SIGQUIT);
  process().Wait(kPatience);
}

}  // namespace certlatch::test

#include "domain/shell_loop.h"

#include <gtest/gtest.h>

#include "base/duration.h"
#include "base/text.h"
#include "domain/json.h"
#include "domain/jsonpath.h"

namespace certlatch {
namespace {

using Environment = std::vector<std::string_view>;

const Environment kEnvironment = {"DB_HOST=db",
                                  "DB_PORT=5432",
                                  "NS=prod",
                                  "SECRET=web",
                                  "EMPTY=",
                                  "SPACED=a b",
                                  "TOKEN=hunter2",
                                  "URL=http://api:8080",
                                  "/var/run/secrets/kubernetes.io/serviceaccount/namespace=blue"};

std::string Meaning(const LoopProbe& probe) {
  std::string text = TargetOf(probe);
  using Kind = LoopProbe::Kind;
  const auto add = [&text](const char* before, std::string_view what) {
    if (!what.empty()) text += std::string(before) + std::string(what);
  };
  if (probe.kind == Kind::kWait) {
    text = probe.own_rules ? "certlatch" : "kubectl";
    for (const std::string_view argument : probe.arguments) add(" ", argument);
  }
  if (probe.kind == Kind::kGet && probe.name.empty()) {
    text = std::string(probe.type) + " list";
    add("@", probe.ns);
  }
  add(" -l ", probe.selector);
  add(" --field-selector ", probe.field_selector);
  if (probe.kind == Kind::kGet) {
    for (const std::string_view flag : probe.arguments) add(" ", flag);
  }
  if (probe.all_namespaces) text += " -A";
  if (probe.ignore_not_found) text += " if any";
  if (probe.printed == LoopProbe::Printed::kJsonPath) text += " path";
  if (probe.printed == LoopProbe::Printed::kName) text += " name";
  if (probe.printed == LoopProbe::Printed::kHttpStatus) text += " status";
  if (probe.reachable == nullptr) return text;
  const Reachable& reachable = *probe.reachable;
  if (reachable.kind == Reachable::Kind::kName) text = "name " + reachable.endpoint.host;
  if (reachable.statuses.starts_with("1xx")) text += " any";
  if (reachable.follow) text += " follow";
  if (reachable.head) text += " HEAD";
  if (reachable.insecure) text += " insecure";
  if (reachable.kind == Reachable::Kind::kFile && !reachable.empty_too) text += " with something";
  return text;
}

std::string Meaning(const LoopCondition& condition) {
  constexpr const char* kSigns[] = {"=", "!=", "<", "<=", ">", ">="};
  const char* sign = kSigns[static_cast<size_t>(condition.sign)];
  std::string text = condition.negated ? "not " : "";
  switch (condition.kind) {
    case LoopCondition::Kind::kSucceeds:
      return text + "ok";
    case LoopCondition::Kind::kGrep:
      return text + std::string(condition.greps, '~');
    case LoopCondition::Kind::kText:
      return text + sign + " '" + std::string(condition.text) + "'" +
             (condition.one_word ? " word" : "");
    case LoopCondition::Kind::kNumber:
      return text + sign + " " + std::to_string(condition.number) +
             (condition.empty_is_0 ? " or 0" : "") + (condition.one_word ? " word" : "");
  }
  return text;
}

std::string Meaning(const LoopPlan& plan, const LoopStep& step) {
  std::string text;
  switch (step.kind) {
    case LoopStep::Kind::kSay:
      return (step.to_stderr ? "warn '" : "say '") + std::string(step.text) + "'";
    case LoopStep::Kind::kPause:
      return "pause " + FormatDuration(step.pause);
    case LoopStep::Kind::kExit:
      return "exit";
    case LoopStep::Kind::kKubectl:
      return Meaning(plan.tests.at(step.first_test)->probe) + ", else " +
             std::to_string(step.if_failed);
    case LoopStep::Kind::kUntil:
      for (size_t i = step.first_test; i < step.last_test; ++i) {
        const ScriptTest& test = *plan.tests.at(i);
        text += (text.empty() ? "until " : " and ") + Meaning(test.probe) + ": " +
                Meaning(test.condition);
      }
      text += ", " + FormatDuration(step.pause);
      for (size_t i = step.first_say; i < step.last_say; ++i) {
        text += ", " + Meaning(plan, plan.says.at(i));
      }
  }
  return text;
}

// "STEP; STEP", or the error.
std::string Read(std::string_view script) {
  LoopPlan plan;
  const Status status = ParseShellLoop(script, kEnvironment, plan);
  if (!status) return status.error().text;
  std::string text;
  for (const LoopStep& step : plan.steps) text += (text.empty() ? "" : "; ") + Meaning(plan, step);
  return text;
}

bool Accepts(std::string_view script) {
  LoopPlan plan;
  return ParseShellLoop(script, {}, plan).has_value();
}

struct Shape {
  const char* script;
  const char* meaning;
};

void ExpectEach(const std::vector<Shape>& shapes) {
  for (const Shape& shape : shapes) EXPECT_EQ(Read(shape.script), shape.meaning) << shape.script;
}

// Whether the script's first loop ends when this is printed.
bool Ends(const std::string& head, std::string_view printed, bool succeeded = true) {
  LoopPlan plan;
  const std::string script = head + "; do :; done";
  const Status status = ParseShellLoop(script, kEnvironment, plan);
  if (!status || plan.tests.empty()) {
    ADD_FAILURE() << script << ": " << (status ? "no loop" : status.error().text);
    return false;
  }
  return Holds(plan.tests[0]->condition, succeeded, printed);
}

// The same of `until kubectl get … | TAIL`.
bool EndsBy(const std::string& tail, std::string_view printed) {
  return Ends("until kubectl get x y -o jsonpath={.a} | " + tail, printed);
}

constexpr const char* kSeed =
    "echo Waiting…; until kubectl get certificate ai-ops-agent-cert -n default -o "
    "jsonpath='{.status.conditions[?(@.type==\"Ready\")].status}' 2>/dev/null | grep -q \"True\"; "
    "do echo \"not ready\"; sleep 5; done; echo ready";

TEST(ShellLoop, UnderstandsTheSeedScene) {
  EXPECT_EQ(Read(kSeed),
            "say 'Waiting…\n'; until certificate/ai-ops-agent-cert@default path: ~, 5s, say 'not "
            "ready\n'; say 'ready\n'");
}

TEST(ShellLoop, JudgesTheSeedSceneByWhatKubectlPrints) {
  LoopPlan plan;
  ASSERT_TRUE(ParseShellLoop(kSeed, {}, plan));
  const ScriptTest& test = *plan.tests.at(0);
  const auto path = JsonPath::Parse(test.probe.path);
  ASSERT_TRUE(path);
  const auto holds = [&](const char* object) {
    const Result<Json> json = ParseJson(object);
    EXPECT_TRUE(json);
    const Result<std::string> printed = path->Print(*json, true);
    return Holds(test.condition, true, printed ? *printed : "");
  };
  EXPECT_FALSE(holds(R"({"metadata":{}})"));
  EXPECT_FALSE(holds(R"({"status":{"conditions":[{"type":"Ready","status":"False"}]}})"));
  EXPECT_TRUE(holds(R"({"status":{"conditions":[{"type":"Issuing","status":"False"},
                                                {"type":"Ready","status":"True"}]}})"));
}

TEST(ShellLoop, WaitsForObjects) {
  ExpectEach({
      {"until kubectl get secret web-tls; do sleep 5; done", "until secret/web-tls: ok, 5s"},
      {"until kubectl get secret web-tls -n prod >/dev/null 2>&1; do echo waiting; sleep 2; done",
       "until secret/web-tls@prod: ok, 2s, say 'waiting\n'"},
      {"while ! kubectl get secret \"$SECRET\" -n \"$NS\" &>/dev/null; do\n  sleep 1\ndone",
       "until secret/web@prod: ok, 1s"},
      {"until kubectl -n ${NS} get secret/${SECRET} > /dev/null 2> /dev/null; do sleep 0.5; done",
       "until secret/web@prod: ok, 500ms"},
      {"while ! kubectl get ds -n gpu-operator nvidia-operator-validator; do\n   sleep 5\ndone",
       "until ds/nvidia-operator-validator@gpu-operator: ok, 5s"},
      {"while kubectl get pod old -n default &>/dev/null; do echo \"gone?\"; sleep 2; done",
       "until pod/old@default: not ok, 2s, say 'gone?\n'"},
      {"until kubectl get crd certificates.cert-manager.io issuers.cert-manager.io; do sleep 1m; "
       "done",
       "until crd/certificates.cert-manager.io: ok and crd/issuers.cert-manager.io: ok, 1m0s"},
      {"until kubectl get nodes >/dev/null 2>&1; do sleep 5; done", "until nodes list: ok, 5s"},
      {"until kubectl get servicemonitors --all-namespaces ; do date; sleep 1; echo \"\"; done",
       "until servicemonitors list -A: ok, 1s, say '\n'"},
      {"until /usr/local/bin/kubectl get secret web --namespace=prod -o yaml >/dev/null; do sleep "
       "1; done",
       "until secret/web@prod: ok, 1s"},
      {"while [ -z \"$(kubectl get secret kafka --ignore-not-found)\" ]; do sleep 5; done",
       "until secret/kafka if any name: != '', 5s"},
      {"until [ -n \"$(kubectl get secret kafka -n db 2>/dev/null)\" ]; do sleep 5; done",
       "until secret/kafka@db name: != '', 5s"},
      {"while ! kubectl get pod -l \"app=web\" -n \"$NS\" --no-headers 2>/dev/null | grep -q .; "
       "do\n"
       "  echo -n \".\"\n  sleep 2\ndone",
       "until pod list@prod -l app=web name: ~, 2s, say '.'"},
  });
}

TEST(ShellLoop, WaitsForWhatKubectlPrints) {
  ExpectEach({
      {"until [ \"$(kubectl get certificate web -o jsonpath='{.status.phase}')\" = \"True\" ]; do "
       "sleep 2; done",
       "until certificate/web path: = 'True', 2s"},
      {"while [[ $(kubectl get pods -n db -l app=postgres -o "
       "'jsonpath={..status.conditions[?(@.type==\"Ready\")].status}') != \"True\" ]]; do\n"
       "    echo \"waiting for tsdb to be ready...\"\n    sleep 5\n\ndone\n\necho \"ready! \"\n",
       "until pods list@db -l app=postgres path: not != 'True', 5s, say 'waiting for tsdb to be "
       "ready...\n'; say 'ready! \n'"},
      {"until [ \"$(kubectl get job migrate -o jsonpath='{.status.succeeded}' 2>/dev/null)\" = 1 "
       "]\n"
       "do\n  sleep 3\ndone",
       "until job/migrate path: = '1', 3s"},
      {"until [[ \"$(kubectl get deploy api -o=jsonpath='{.status.readyReplicas}')\" -ge 2 ]]; do "
       "sleep 5; done",
       "until deploy/api path: >= 2 or 0, 5s"},
      {"while [ $(kubectl get sts db -o jsonpath={.status.readyReplicas}) -lt 3 ]; do sleep 5; "
       "done",
       "until sts/db path: not < 3 word, 5s"},
      {"until test \"$(kubectl get pod a -ojsonpath='{.status.phase}')\" == Running; do sleep 1; "
       "done",
       "until pod/a path: = 'Running', 1s"},
      {"while [ -z \"$(kubectl get svc lb -n prod -o "
       "jsonpath='{.status.loadBalancer.ingress[0].ip}')\" ]; do sleep 10; done",
       "until svc/lb@prod path: != '', 10s"},
      {"until [ -n \"$(kubectl get endpoints api -o jsonpath='{.subsets[*].addresses[*].ip}')\" ]; "
       "do echo none; sleep 2; done",
       "until endpoints/api path: != '', 2s, say 'none\n'"},
      {"until [[ $(kubectl get validatingwebhookconfiguration cert-manager-webhook \\\n"
       "  -o jsonpath='{.webhooks[0].clientConfig.caBundle}') ]]; do\n    sleep 1\ndone",
       "until validatingwebhookconfiguration/cert-manager-webhook path: != '', 1s"},
      {"until kubectl get endpoints api -o jsonpath='{.subsets[*].addresses[*].ip}' | grep -E "
       "'[0-9]+'; do sleep 2; done",
       "until endpoints/api path: ~, 2s"},
      {"until kubectl get pods -o jsonpath='{range .items[*]}{.status.phase}{\"\\n\"}{end}' | grep "
       "-v Pending | grep -q Running; do sleep 2; done",
       "until pods list path: ~~, 2s"},
      {"while [ -z \"$(kubectl get pods -o jsonpath={.items[*].status.phase} | grep Running)\" ]; "
       "do "
       "sleep 2; done",
       "until pods list path: ~, 2s"},
      {"until [ 2 -le \"$(kubectl get deploy a -o jsonpath={.status.readyReplicas})\" ]; do sleep "
       "1; "
       "done",
       "until deploy/a path: >= 2, 1s"},
      {"until ! [ \"$(kubectl get pod a -o jsonpath={.status.phase})\" = Pending ]; do sleep 1; "
       "done",
       "until pod/a path: not = 'Pending', 1s"},
      {"until kubectl get secret a && kubectl get cm b; do sleep 1; done",
       "until secret/a: ok and cm/b: ok, 1s"},
      {"while ! kubectl get secret a || [ \"$(kubectl get po b -o jsonpath={.status.phase})\" != "
       "Running ]; do sleep 1; done",
       "until secret/a: ok and po/b path: not != 'Running', 1s"},
  });
}

TEST(ShellLoop, WaitsForServers) {
  ExpectEach({
      {"until nc -z db 5432; do echo waiting for db; sleep 2; done;",
       "until tcp://db:5432: ok, 2s, say 'waiting for db\n'"},
      {"until nc -zv rabbitmq 5672; do echo waiting for rabbitmq; sleep 2; done;",
       "until tcp://rabbitmq:5672: ok, 2s, say 'waiting for rabbitmq\n'"},
      {"while ! nc -z -v -w30 $DB_HOST $DB_PORT; do sleep 1; done", "until tcp://db:5432: ok, 1s"},
      {"until nc -vz -w 2 \"${PGHOST:-localhost}\" \"${PGPORT:-5432}\" 2>/dev/null; do sleep 1; "
       "done",
       "until tcp://localhost:5432: ok, 1s"},
      {"until nc -z ::1 80; do sleep 1; done", "until tcp://[::1]:80: ok, 1s"},
      {"until pg_isready -h $DB_HOST -p $DB_PORT -U postgres -d app\ndo\n  sleep 2;\ndone\n",
       "until postgres://db:5432: ok, 2s"},
      {"while ! pg_isready --host=db --username=x -q -t 3; do sleep 0.2; done",
       "until postgres://db:5432: ok, 200ms"},
      {"until curl -sf http://vault:8200/v1/sys/health > /dev/null; do sleep 2; done",
       "until http://vault:8200/v1/sys/health: ok, 2s"},
      {"until curl --output /dev/null --silent --head --fail $URL/healthz; do printf '.'; sleep 5; "
       "done",
       "until http://api:8080/healthz HEAD: ok, 5s, say '.'"},
      {"until curl -s localhost:9070/health > /dev/null 2>&1; do sleep 1; done",
       "until http://localhost:9070/health any: ok, 1s"},
      {"until curl -fsSL -k --connect-timeout 5 -m 3 https://api/; do sleep 1; done",
       "until https://api/ follow insecure: ok, 1s"},
      {"until [ \"$(curl -s -o /dev/null -w '%{http_code}' http://api:8080/ready)\" = \"200\" ]; "
       "do "
       "sleep 3; done",
       "until http://api:8080/ready status any: = '200', 3s"},
      {"while [[ $(curl -o /dev/null -sw \"%{http_code}\" $URL) -ne 200 ]]; do sleep 3; done",
       "until http://api:8080 status any: not != 200 or 0, 3s"},
      {"until wget -q --spider http://keycloak:8080; do\n  echo \"Keycloak not ready\"\n  sleep "
       "5\ndone\n",
       "until http://keycloak:8080 follow HEAD: ok, 5s, say 'Keycloak not ready\n'"},
      {"until wget --spider --timeout=5 --tries=1 \"http://casdoor:8000/api/health\";\ndo\n  sleep "
       "5;\ndone",
       "until http://casdoor:8000/api/health follow HEAD: ok, 5s"},
      {"until wget -qO- http://api/health &>/dev/null; do sleep 1; done",
       "until http://api/health follow: ok, 1s"},
  });
}

TEST(ShellLoop, WaitsForNamesAndFiles) {
  ExpectEach({
      {"until nslookup mydb.$(cat /var/run/secrets/kubernetes.io/serviceaccount/namespace).svc."
       "cluster.local; do echo waiting for mydb; sleep 2; done",
       "until name mydb.blue.svc.cluster.local: ok, 2s, say 'waiting for mydb\n'"},
      {"NS=\"$(cat /var/run/secrets/kubernetes.io/serviceaccount/namespace)\"; until nslookup "
       "db.$NS. >/dev/null; do sleep 1; done",
       "until name db.blue.: ok, 1s"},
      {"until getent hosts $DB_HOST; do sleep 1; done", "until name db: ok, 1s"},
      {"while ! host -W 1 api.prod.svc >/dev/null; do sleep 1; done",
       "until name api.prod.svc: ok, 1s"},
      {"while [ ! -f /tmp/ready ]; do sleep 1; done", "until file:/tmp/ready: ok, 1s"},
      {"until test -e /run/a; do sleep 1; done", "until file:/run/a: ok, 1s"},
      {"until [[ -s /tls/tls.crt ]]; do echo no; sleep 1; done",
       "until file:/tls/tls.crt with something: ok, 1s, say 'no\n'"},
  });
}

TEST(ShellLoop, TakesTheFlagsThatLeadToTheApiServer) {
  ExpectEach({
      {"until kubectl --server=https://a -s https://b --token x get secret y "
       "--insecure-skip-tls-verify; do sleep 1; done",
       "until secret/y --server=https://a --server=https://b --token=x "
       "--insecure-skip-tls-verify=true: ok, 1s"},
  });
}

TEST(ShellLoop, RunsKubectlWait) {
  ExpectEach({
      {"kubectl wait --for=condition=Ready certificate/web -n prod --timeout=300s",
       "kubectl wait --for=condition=Ready certificate/web -n prod --timeout=300s, else 1"},
      {"kubectl wait --for=condition=established crd/a.x && \\\n kubectl wait --for=create "
       "secret/b "
       "&& echo ok; echo end",
       "kubectl wait --for=condition=established crd/a.x, else 3; kubectl wait --for=create "
       "secret/b, else 3; say 'ok\n'; say 'end\n'"},
      {"set -euo pipefail\nkubectl wait --for=delete pod/a\nkubectl -n x wait --for=create cm/b\n",
       "kubectl wait --for=delete pod/a, else 2; kubectl -n x wait --for=create cm/b, else 2"},
      {"kubectl wait --for=delete pod/a || exit 1; kubectl wait --for=create pod/b",
       "kubectl wait --for=delete pod/a, else 2; kubectl wait --for=create pod/b, else 2"},
      {"kubectl -n prod rollout status deployment/x --timeout=60s",
       "certlatch wait --timeout=-1s -n prod deployment/x --timeout=60s, else 1"},
      {"until kubectl wait --for=condition=ready pods -l app=web -n prod; do sleep 2; done",
       "until kubectl wait --for=condition=ready pods -l app=web -n prod: ok, 2s"},
  });
}

TEST(ShellLoop, GoesOnBehindAFailureAsTheShellWould) {
  ExpectEach({
      {"kubectl wait a/b; echo x", "kubectl wait a/b, else 1; say 'x\n'"},
      {"set -e; kubectl wait a/b; echo x", "kubectl wait a/b, else 2; say 'x\n'"},
      {"set -e; kubectl wait a/b && echo y; echo x",
       "kubectl wait a/b, else 2; say 'y\n'; say 'x\n'"},
      {"set -e; set +e; kubectl wait a/b; echo x", "kubectl wait a/b, else 1; say 'x\n'"},
  });
}

TEST(ShellLoop, UnderstandsWhatSurroundsTheLoops) {
  ExpectEach({
      {"#!/bin/sh\n# first the database\nset -e\necho 'db…' # really\nuntil nc -z db 1; do sleep "
       "1; "
       "done\n\nexit 0\n",
       "say 'db…\n'; until tcp://db:1: ok, 1s; exit"},
      {"NAME=web; export KIND=secret NS2=\"x y\"\nuntil kubectl get $KIND ${NAME}-tls; do :; done",
       "until secret/web-tls: ok, 0s"},
      {"echo -n a; echo -e 'b\\tc\\n'; printf 'd\\n'; printf e; echo; echo a  b \"c  d\"",
       "say 'a'; say 'b\tc\n\n'; say 'd\n'; say 'e'; say '\n'; say 'a b c  d\n'"},
      {">&2 echo a; echo b >&2; echo c 1>&2; echo d > /dev/stderr; echo e >/dev/null; echo f 2>&1",
       "warn 'a\n'; warn 'b\n'; warn 'c\n'; warn 'd\n'; say ''; say 'f\n'"},
      {"echo \"$(date) waiting in $NS\"; date; echo `date +%T`.",
       "say ' waiting in prod\n'; say '.\n'"},
      {"echo \"a\\\"b\\$c\\d\" 'x\"y' a\\ b \"${MISSING}\" $MISSING ${EMPTY:-d} ${EMPTY-e} $",
       "say 'a\"b$c\\d x\"y a b  d $\n'"},
      {"echo a \\\n  b; sleep 3; true; :", "say 'a b\n'; pause 3s; say ''; say ''"},
      {"until nc -z a 1; do echo x && sleep 1; done >/dev/null 2>&1 && echo y",
       "until tcp://a:1: ok, 1s, say 'x\n'; say 'y\n'"},
      {"until nc -z a 1\ndo\n  # soon\n  sleep 1\ndone; until nc -z b 2; do sleep 2s; done",
       "until tcp://a:1: ok, 1s; until tcp://b:2: ok, 2s"},
      {"", ""},
      {" \n\t# nothing", ""},
  });
}

TEST(ShellLoop, UnderstandsLoopsThatBreak) {
  ExpectEach({
      {"while true; do kubectl get secret a >/dev/null 2>&1 && break; echo no; sleep 2; done",
       "until secret/a: ok, 2s, say 'no\n'"},
      {"while :; do\n  if kubectl get secret a; then\n    echo found\n    break\n  fi\n  echo no\n "
       " "
       "sleep 2\ndone\necho end",
       "until secret/a: ok, 2s, say 'no\n'; say 'found\n'; say 'end\n'"},
      {"until false; do if [ \"$(kubectl get po a -o jsonpath={.status.phase})\" = Running ]; then "
       "exit 0; else sleep 1; fi; done",
       "until po/a path: = 'Running', 1s; exit"},
  });
}

TEST(ShellLoop, NamesWhatItCannotDo) {
  ExpectEach({
      {"exec /app", "cannot do \"exec\""},
      {"kubectl apply -f x.yaml", "cannot do \"kubectl apply\""},
      {"kubectl rollout restart deploy/x", "cannot do \"kubectl rollout\""},
      {"kubectl get secret x",
       "cannot do \"kubectl get\" outside of a loop; for the rest: certlatch "
       "wait secret/x"},
      {"nc -z db 5432",
       "cannot do \"nc\" outside of a loop; for the rest: certlatch wait "
       "tcp://db:5432"},
      {"for i in 1 2 3; do nc -z db 1 && break; done", "cannot do \"for\""},
      {"if kubectl get x y; then echo z; fi", "cannot do \"if\""},
      {"case $NS in prod) echo x;; esac", "cannot do \"case\""},
      {"wait_for() { sleep 1; }", "cannot do \"wait_for\""},
      {"( echo a )", "cannot do \"(\""},
      {"{ echo a; }", "cannot do \"{\""},
      {"echo `hostname`", "cannot do \"`hostname`\""},
      {"echo $(cat /etc/hostname)", "cannot do \"$(cat)\""},
      {"echo $((1+1))", "cannot do \"$((\""},
      {"echo $1", "cannot do \"$1\""},
      {"echo \"$@\"", "cannot do \"$@\""},
      {"echo $'a'", "cannot do \"$'\""},
      {"echo $N\\\nS", "cannot do \"$N\\\""},
      {"echo ${NS%x}", "cannot do \"${NS%x}\""},
      {"echo ${NS:?no}", "cannot do \"${NS:?no}\""},
      {"set -u; echo $MISSING", "$MISSING is not set"},
      {"echo $SPACED", "cannot split $SPACED into words: put it in double quotes"},
      {"X=$(hostname)", "cannot do \"X=$(...)\""},
      {"echo 'a", "cannot find the end of the quotes or brackets in \"'a\""},
      {"echo \"$(a\"", "cannot find the end of the quotes or brackets in \"\"$(a\"\""},
      {"cat <<EOF\nx\nEOF\n", "cannot do \"<<EOF\""},
      {"echo a > /tmp/x", "cannot do \">/tmp/x\""},
      {"echo a >> log", "cannot do \">>log\""},
      {"sleep 5 &", "cannot do \"&\""},
      {"echo a | tee b", "cannot do \"tee\""},
      {"kubectl wait a/b || echo no", "cannot do \"||\"; for the rest: certlatch wait a/b"},
      {"kubectl --token se/cret wait --timeout=1s a/b || echo no",
       "cannot do \"||\"; for the rest: certlatch wait a/b"},
      {"sleep infinity", "cannot do \"sleep infinity\""},
      {"printf '%s' x", "cannot do \"printf with a format\""},
      {"set -f", "cannot do \"set -f\""},
      {"exit 1", "cannot do \"exit\""},
      {"timeout 60 sh -c 'nc -z a 1'", "cannot do \"timeout\""},
      {"KUBECONFIG=/x kubectl get a", "cannot do \"KUBECONFIG=/x\""},
      {"while true; do echo x; sleep 1; done", "cannot do \"while true\""},
      {"until nc -z a 1; do sleep 1",
       "cannot do a script that ends too early; for the rest: certlatch "
       "wait tcp://a:1"},
      {"until nc -z a 1; do done", "cannot do \"done\"; for the rest: certlatch wait tcp://a:1"},
  });
}

TEST(ShellLoop, NamesWhatALoopCannotDo) {
  ExpectEach({
      {"until kubectl get certificate x -n default -o json | awk '{print $1}'; do sleep 1; done",
       "cannot do \"awk\"; for the rest: certlatch wait certificate/x@default"},
      {"while [ \"$(kubectl get issuer x -o json | jq -r .status)\" != True ]; do sleep 1; done",
       "cannot do \"jq\"; for the rest: certlatch wait issuer/x"},
      {"until kubectl get nodes | grep -q Ready; do sleep 1; done",
       "cannot do \"grep\" of what kubectl prints: want -o jsonpath=..."},
      {"until kubectl get po x -o jsonpath={.a} 2>&1 | grep -q NotFound; do sleep 1; done",
       "cannot do \"2>&1 |\"; for the rest: certlatch wait po/x"},
      {"until kubectl get po x -o jsonpath={.a} >/dev/null | grep -q x; do sleep 1; done",
       "cannot do \">/dev/null |\"; for the rest: certlatch wait po/x"},
      {"until kubectl get po x -o jsonpath={.a} | grep -c x; do sleep 1; done",
       "cannot do \"grep -c\"; for the rest: certlatch wait po/x"},
      {"until kubectl get po x -o jsonpath={.a} | grep -P x; do sleep 1; done",
       "cannot do \"grep -P\"; for the rest: certlatch wait po/x"},
      {"until kubectl get po x -o jsonpath={.a} | grep '\\bx'; do sleep 1; done",
       "cannot do \"\\b\" in the pattern \"\\bx\"; for the rest: certlatch wait po/x"},
      {"until kubectl get po x -o jsonpath='{.a' ; do sleep 1; done",
       "cannot do this kubectl command: unclosed action"},
      {"until kubectl get po x --context=y; do sleep 1; done", "cannot do \"kubectl --context\""},
      {"until kubectl get po x -w; do sleep 1; done", "cannot do \"kubectl -w\""},
      {"until kubectl get; do sleep 1; done", "cannot do \"kubectl get\""},
      {"until kubectl get a/b/c; do sleep 1; done",
       "cannot do this kubectl command: arguments in resource/name form may not have more than one "
       "slash"},
      {"until nslookup db 10.0.0.10; do sleep 2; done", "cannot do \"nslookup without one NAME\""},
      {"until dig +short db; do sleep 2; done", "cannot do \"dig\""},
      {"until getent passwd me; do sleep 2; done", "cannot do \"getent passwd\""},
      {"while kubectl get secret a b; do sleep 1; done",
       "cannot do \"this with several names\"; for the rest: certlatch wait secret/a secret/b"},
      {"until kubectl get secret a b -o jsonpath={.a} | grep x; do sleep 1; done",
       "cannot do \"kubectl get -o jsonpath of several objects\""},
      {"until mysqladmin ping -h db; do sleep 2; done", "cannot do \"mysqladmin\""},
      {"until nc db 5432; do sleep 1; done", "cannot do \"nc without -z\""},
      {"until nc -zu db 53; do sleep 1; done", "cannot do \"nc -u\""},
      {"until nc -z db 80-90; do sleep 1; done",
       "cannot do \"nc\" of \"db:80-90\": must be HOST:PORT, with a port from 1 to 65535"},
      {"until pg_isready; do sleep 1; done", "cannot do \"pg_isready on a Unix socket\""},
      {"until curl -sf -H \"X: $TOKEN\" $URL; do sleep 1; done", "cannot do \"curl -H\""},
      {"until curl -sf http://u:hunter2@api/; do sleep 1; done",
       "cannot do \"curl with credentials\""},
      {"until curl -sf file:///etc/passwd; do sleep 1; done",
       "cannot do \"curl file:///etc/passwd\""},
      {"until curl -sf $URL | grep -q UP; do sleep 1; done",
       "cannot do \"grep\" of what curl prints: want -o jsonpath=...; for the rest: certlatch wait "
       "http://api:8080"},
      {"until curl -d x $URL; do sleep 1; done", "cannot do \"curl -d\""},
      {"until wget -q $URL; do sleep 1; done", "cannot do \"wget without --spider\""},
      {"while [ ! -x /tmp/ready ]; do sleep 1; done", "cannot do \"[ -x\""},
      {"while [ ! -f ready ]; do sleep 1; done", "cannot do \"a relative file name\""},
      {"until [[ \"$(kubectl get po x -o jsonpath={.a})\" =~ ^T ]]; do sleep 1; done",
       "cannot do \"[[ ... =~\""},
      {"until [[ \"$(kubectl get po x -o jsonpath={.a})\" == T* ]]; do sleep 1; done",
       "cannot do \"[[ ... == PATTERN ]]\"; for the rest: certlatch wait po/x"},
      {"until [ \"$(kubectl get po x)\" = y ]; do sleep 1; done",
       "cannot do \"[ of what the command prints\"; for the rest: certlatch wait po/x"},
      {"until [ \"$(kubectl get po -o name | wc -l)\" -eq 3 ]; do sleep 1; done",
       "cannot do \"wc\""},
      {"until [ \"$(kubectl get po x -o jsonpath={.a})\" -ge two ]; do sleep 1; done",
       "cannot do \"-ge two\"; for the rest: certlatch wait po/x"},
      {"until kubectl get secret a || kubectl get cm b; do sleep 1; done",
       "cannot do \"||\"; for the rest: certlatch wait secret/a"},
      {"while kubectl get secret a && kubectl get cm b; do sleep 1; done",
       "cannot do \"&&\"; for the rest: certlatch wait secret/a"},
      {"i=0\nuntil nc -z db 1; do i=$((i+1)); sleep 1; done",
       "cannot do \"$((\"; for the rest: certlatch wait tcp://db:1"},
      {"until nc -z db 1; do [ $N -gt 3 ] && exit 1; sleep 1; done",
       "cannot do \"[\"; for the rest: certlatch wait tcp://db:1"},
      {"until nc -z db 1; do kubectl get pods; sleep 1; done",
       "cannot do \"kubectl\"; for the rest: certlatch wait tcp://db:1"},
      {"until nc -z db 1; do sleep 1; done & wait",
       "cannot do \"&\"; for the rest: certlatch wait tcp://db:1"},
  });
}

TEST(ShellLoop, AdvisesOnEverythingThatIsUnderstood) {
  EXPECT_EQ(
      Read("until kubectl get secret a -n x; do sleep 1; done\n"
           "until mysqladmin ping; do sleep 1; done\n"
           "until nc -z db 1; do sleep 1; done; until nc -z db 1; do sleep 1; done\n"
           "until curl -f http://api; do sleep 1; done; exec ./app"),
      "cannot do \"mysqladmin\"; for the rest: certlatch wait secret/a@x tcp://db:1 http://api");
}

TEST(ShellLoop, ShowsNoValuesOfVariables) {
  const std::string refusal = Read("until mysql -p\"$TOKEN\" -h db; do sleep 1; done");
  EXPECT_EQ(refusal, "cannot do \"mysql\"");
}

TEST(ShellLoop, EndsWhereGrepSelectsALine) {
  EXPECT_TRUE(EndsBy("grep -q True", "False\nTrue\n"));
  EXPECT_FALSE(EndsBy("grep -q True", "False"));
  EXPECT_FALSE(EndsBy("grep -q ''", ""));  // no line
  EXPECT_TRUE(EndsBy("grep -q ''", "\n"));
  EXPECT_TRUE(EndsBy("grep -v True", "True\nFalse"));
  EXPECT_FALSE(EndsBy("grep -v True", "True\n"));
  EXPECT_FALSE(EndsBy("grep -v True", ""));
  EXPECT_TRUE(EndsBy("grep a | grep b", "a\nab"));
  EXPECT_FALSE(EndsBy("grep a | grep b", "a\nb"));
  EXPECT_TRUE(EndsBy("egrep 'a|b'", "b"));
  EXPECT_FALSE(EndsBy("fgrep 'a|b'", "b"));
}

TEST(ShellLoop, EndsWhereTheComparisonHolds) {
  const std::string text = "\"$(kubectl get x y -o jsonpath={.a})\"";
  EXPECT_TRUE(Ends("until [ " + text + " = True ]", "True\n\n"));
  EXPECT_FALSE(Ends("until [ " + text + " = True ]", "true"));
  EXPECT_TRUE(Ends("while [ " + text + " != True ]", "True"));
  EXPECT_FALSE(Ends("while [ " + text + " != True ]", ""));
  EXPECT_TRUE(Ends("until [ -n " + text + " ]", "x"));
  EXPECT_FALSE(Ends("until [ -n " + text + " ]", "\n"));
  EXPECT_TRUE(Ends("while [ -z " + text + " ]", "x"));
  EXPECT_TRUE(Ends("until [ -z " + text + " ]", ""));
  for (const auto& [sign, met, unmet] :
       std::vector<std::array<const char*, 3>>{{"-eq", "2", "3"},
                                               {"-ne", "3", "2"},
                                               {"-lt", "1", "2"},
                                               {"-le", "2", "3"},
                                               {"-gt", "3", "2"},
                                               {"-ge", "2", "1"}}) {
    const std::string until = "until [ " + text + " " + sign + " 2 ]";
    EXPECT_TRUE(Ends(until, met)) << sign;
    EXPECT_FALSE(Ends(until, unmet)) << sign;
  }
  EXPECT_TRUE(Ends("until [ 2 -gt " + text + " ]", "1"));
}

TEST(ShellLoop, GoesOnWhereTheShellCouldNotCompare) {
  const std::string text = "$(kubectl get x y -o jsonpath={.a})";
  for (const char* loop : {"until", "while"}) {
    EXPECT_FALSE(Ends(std::string(loop) + " [ \"" + text + "\" -lt 3 ]", "")) << loop;
    EXPECT_FALSE(Ends(std::string(loop) + " [ \"" + text + "\" -lt 3 ]", "three")) << loop;
    EXPECT_FALSE(Ends(std::string(loop) + " [ " + text + " = x ]", "")) << loop;
    EXPECT_FALSE(Ends(std::string(loop) + " [ " + text + " = x ]", "x y")) << loop;
  }
  EXPECT_TRUE(Ends("until [[ " + text + " -lt 3 ]]", ""));
  EXPECT_TRUE(Ends("until [[ " + text + " = 'x y' ]]", "x y"));
}

TEST(ShellLoop, EndsWhereTheCommandSucceeds) {
  EXPECT_TRUE(Ends("until nc -z a 1", "", true));
  EXPECT_FALSE(Ends("until nc -z a 1", "", false));
  EXPECT_TRUE(Ends("while nc -z a 1", "", false));
  EXPECT_FALSE(Ends("while ! nc -z a 1", "", false));
  EXPECT_FALSE(Ends("until ! ! nc -z a 1", "", false));
}

TEST(ShellLoop, IsBounded) {
  EXPECT_EQ(Read(std::string(kMaxLoopScript + 1, ' ')),
            "cannot do a script of more than 16384 bytes, or with a NUL");
  EXPECT_EQ(Read(std::string_view("echo a\0b", 8)),
            "cannot do a script of more than 16384 bytes, or with a NUL");
  std::string many;
  for (size_t i = 0; i <= kMaxLoopSteps; ++i) many += "echo\n";
  EXPECT_EQ(Read(many), "cannot do \"so many steps\"");
  EXPECT_TRUE(Accepts(many.substr(5)));
  std::string deep = "kubectl get a b -o name";
  for (int i = 0; i < 30; ++i) deep = Format("[ -n \"$(%s)\" ]", deep.c_str());
  EXPECT_FALSE(Accepts("until " + deep + "; do sleep 1; done"));
  EXPECT_FALSE(Accepts("echo " + std::string(5000, '(')));
  std::string braces;
  for (int i = 0; i < 5000; ++i) braces += "${A:-";
  EXPECT_FALSE(Accepts("echo " + braces));
}

}  // namespace
}  // namespace certlatch

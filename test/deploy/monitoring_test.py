"""Alerts and dashboard: promtool's own tests, and every query of theirs asked of a real Prometheus that scrapes a real sidecar."""

import json
import os
import random
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.parse
import urllib.request
from pathlib import Path

import cluster
import manifests as m
from manifests_test import CERTLATCH, MEGA

MONITORING = m.DEPLOY / "monitoring"
PATIENCE = 60
NAME = re.compile(r"\b(?:certlatch|process)_\w+")
SELECTOR = re.compile(r"\b(?:(?:certlatch|process)_\w+|up)\b(?:\{[^}]*\})?")


def rules():
    (group,) = m.load((MONITORING / "rules.yaml").read_text())[0]["groups"]
    return group["rules"]


def panels():
    """(panel's title, query) of the dashboard, with its variables at their defaults."""
    board = json.loads((MONITORING / "dashboard.json").read_text())
    for panel in board["panels"]:
        for target in panel["targets"]:
            query = target["expr"].replace("$__rate_interval", "1m")
            for variable in board["templating"]["list"]:
                query = query.replace(f"${variable['name']}", variable.get("allValue", ""))
            yield panel["title"], query


class Monitoring(unittest.TestCase):
    def test_RulesAreThoseThatPromtoolTakesAndTheirUnitTestsPass(self):
        m.run(["promtool", "check", "rules", MONITORING / "rules.yaml"])
        m.run(["promtool", "test", "rules", m.HERE / "rules_test.yaml"])

    def test_EveryAlertHasAUnitTestInWhichItFires(self):
        (tests,) = m.load((m.HERE / "rules_test.yaml").read_text())
        fired = {each["alertname"] for test in tests["tests"] for each in test["alert_rule_test"] if each.get("exp_alerts")}
        self.assertEqual({rule["alert"] for rule in rules()}, fired)
        quiet = {each["alertname"] for each in tests["tests"][0]["alert_rule_test"]}
        self.assertEqual(fired, quiet)

    def test_TheOperatorsRulesAreTheSame(self):
        (own,) = m.load((MONITORING / "rules.yaml").read_text())
        (operators,) = m.load((MONITORING / "prometheusrule.yaml").read_text())
        self.assertEqual(own, operators["spec"])

    def test_DashboardIsLaidOutWithoutOverlaps(self):
        board = json.loads((MONITORING / "dashboard.json").read_text())
        taken, ids = set(), set()
        for panel in board["panels"]:
            at = panel["gridPos"]
            self.assertNotIn(panel["id"], ids)
            ids.add(panel["id"])
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            self.assertFalse(cells & taken, panel["title"])
            self.assertLessEqual(at["x"] + at["w"], 24)
            taken |= cells
            self.assertEqual("${datasource}", panel["datasource"]["uid"])


def free_port():
    """Below the range that outgoing connections take theirs from: what is free now is so in a moment, too."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def fetch(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def eventually(question, what):
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            answer = question()
        except OSError:
            answer = None
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {PATIENCE} s: {what()}")
        time.sleep(0.1)


class Scene:
    """A publisher, a sidecar that follows its Lease, an app that serves the certificate, and a Prometheus."""

    def __init__(self):
        self.processes = []
        self.directory = tempfile.TemporaryDirectory()
        self.home = Path(self.directory.name)

    def start(self, name, *command):
        log = open(self.home / f"{name}.log", "w")
        process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def logs(self):
        return "\n".join(f"{file.name}:\n{file.read_text()[-2000:]}" for file in self.home.glob("*.log"))

    def end(self):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.directory.cleanup()

    def make_volume(self):
        volume = self.home / "tls"
        (volume / "..1").mkdir(parents=True)
        m.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
               "-subj", "/CN=web", "-keyout", volume / "..1/tls.key", "-out", volume / "..1/tls.crt"])
        (volume / "..data").symlink_to("..1")
        for name in ("tls.crt", "tls.key"):
            (volume / name).symlink_to(f"..data/{name}")
        return volume

    def start_sidecar(self, access, certlatch=CERTLATCH):
        volume, app, self.port = self.make_volume(), free_port(), free_port()
        lease = f"monitoring-{os.getpid()}"
        api = ["--server", access["API_URL"], "--certificate-authority", access["CA_FILE"], "--client-certificate",
               access["ADMIN_CERT_FILE"], "--client-key", access["ADMIN_KEY_FILE"], "--namespace", "default"]
        self.start("app", "openssl", "s_server", "-quiet", "-accept", f"127.0.0.1:{app}", "-cert", volume / "tls.crt", "-key",
                   volume / "tls.key")
        self.start("publish", certlatch, "publish", "--lease", lease, "--volume", volume, "--create", *api)
        (self.home / "touched").touch()
        self.sidecar = self.start("sidecar", certlatch, "sidecar", "--volume", volume, "--expect", f"lease/{lease}", "--listen",
                                  f"127.0.0.1:{self.port}", "--touch", self.home / "touched", "--prove", f"127.0.0.1:{app}", *api)
        converged = 'certlatch_fingerprints_agree{between="mounted_served"} 1'
        eventually(lambda: converged in self.exposition() and "certlatch_watch_up" in self.exposition(), self.logs)

    def exposition(self):
        return fetch(f"http://127.0.0.1:{self.port}/metrics")

    def start_prometheus(self):
        """With the scrape configuration that we hand out; only how pods are found is the test's: Debian's knows no Kubernetes."""
        (configuration,) = m.load((MONITORING / "prometheus.yaml").read_text())
        (job,) = configuration["scrape_configs"]
        del job["kubernetes_sd_configs"]
        meta = "__meta_kubernetes_"
        pod = {f"{meta}namespace": "demo", f"{meta}pod_name": "web-1"}
        job["static_configs"] = [
            {"targets": [f"127.0.0.1:{self.port}"],
             "labels": pod | {f"{meta}pod_container_name": "certlatch", f"{meta}pod_container_port_name": "certlatch"}},
            {"targets": ["127.0.0.1:1"],
             "labels": pod | {f"{meta}pod_container_name": "nginx", f"{meta}pod_container_port_name": "https"}},
            {"targets": ["127.0.0.1:2"],  # one that has ended and was not deleted yet
             "labels": pod | {f"{meta}pod_container_name": "certlatch", f"{meta}pod_container_port_name": "certlatch",
                              f"{meta}pod_phase": "Failed"}}]
        configuration["global"] = {"scrape_interval": "500ms"}
        configuration["rule_files"] = [str(MONITORING / "rules.yaml")]
        (self.home / "prometheus.json").write_text(json.dumps(configuration))  # which is YAML, too
        self.prometheus = free_port()
        self.start("prometheus", "prometheus", f"--config.file={self.home}/prometheus.json", f"--storage.tsdb.path={self.home}/data",
                   f"--web.listen-address=127.0.0.1:{self.prometheus}")
        eventually(lambda: self.query("count_over_time(certlatch_build_info[1m]) >= 3"), self.logs)

    def query(self, text):
        answer = json.loads(fetch(f"http://127.0.0.1:{self.prometheus}/api/v1/query?query={urllib.parse.quote(text)}"))
        return answer["data"]["result"]


class Exposition(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        access = cluster.access()
        cls.scene = Scene()
        cls.addClassCleanup(cls.scene.end)
        cls.scene.start_sidecar(access)

    def test_HasEveryMetricOfTheRulesAndTheDashboard(self):
        text = self.scene.exposition()
        there = {match[0] for match in re.finditer(r"(?m)^\w+", text)}
        asked = {name for query in [rule["expr"] for rule in rules()] + [query for _, query in panels()]
                 for name in NAME.findall(query)}
        self.assertGreater(len(asked), 10)
        self.assertEqual(set(), asked - there)

    def test_AnswersEveryQueryInARealPrometheus(self):
        self.scene.start_prometheus()
        for title, query in panels():
            with self.subTest(title, query=query):
                self.assertTrue(self.scene.query(query))
        for rule in rules():
            with self.subTest(rule["alert"]):
                # With its labels each selector must find something; the whole rule must find nothing wrong here.
                for selector in set(SELECTOR.findall(rule["expr"])):
                    self.assertTrue(self.scene.query(selector), selector)
                self.assertEqual([], self.scene.query(rule["expr"]))
        # Only ports of that name are scraped, of pods that run, and the labels are those that the alerts speak of.
        (up,) = self.scene.query("up")
        self.assertEqual(("certlatch", "demo", "web-1"), tuple(up["metric"][each] for each in ("container", "namespace", "pod")))



class Memory(unittest.TestCase):
    def test_OfASidecarIsHalfOfWhatTheManifestsAskForAtMost(self):
        """Of the binary that ships: this build's own may have sanitizers."""
        static = next((file for file in (CERTLATCH, m.DEPLOY.parent / "build/static/certlatch")
                       if Path(file).exists() and "=>" not in m.attempt(["ldd", file]).stdout), None)
        if not static:
            self.skipTest("there is no static binary: its memory was NOT compared with the manifests' requests")
        access = cluster.access()
        scene = Scene()
        self.addCleanup(scene.end)
        scene.start_sidecar(access, static)
        status = Path(f"/proc/{scene.sidecar.pid}/status").read_text()
        peak = int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) << 10
        print(f"{peak >> 10} KiB at most")
        self.assertLess(peak, 8 * MEGA["Mi"] // 2)

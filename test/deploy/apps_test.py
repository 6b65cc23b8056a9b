"""The configurations of the examples' apps are taken by the apps themselves, with the files where the examples mount them."""

import tempfile
import unittest
from pathlib import Path

import manifests as m


def data_of(example):
    return next(thing for thing in m.all_manifests()[f"examples/{example}.yaml"] if thing["kind"] == "ConfigMap")["data"]


class Apps(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.home = Path(directory.name)
        m.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3", "-subj",
               "/CN=web", "-keyout", self.home / "tls.key", "-out", self.home / "tls.crt"])

    def write(self, name, text):
        (self.home / name).write_text(text.replace("/etc/tls/", f"{self.home}/"))
        return self.home / name

    def test_NginxTakesItsConfiguration(self):
        site = self.write("default.conf", data_of("nginx")["default.conf"])
        whole = self.write("nginx.conf", f"pid {self.home}/pid; events {{}} http {{ access_log off; include {site}; }}")
        m.run(["/usr/sbin/nginx", "-t", "-e", "stderr", "-c", whole])

    def test_HaproxyTakesItsConfiguration(self):
        m.run(["/usr/sbin/haproxy", "-c", "-f", self.write("haproxy.cfg", data_of("haproxy")["haproxy.cfg"])])

    def test_EnvoysFilesAreWellFormedAndWatchTheMount(self):
        (main,) = m.load(data_of("envoy")["envoy.yaml"])
        (secrets,) = m.load(data_of("envoy")["sds.yaml"])
        (secret,) = secrets["resources"]
        self.assertEqual({"path": "/etc/tls"}, secret["tls_certificate"]["watched_directory"])
        context = main["static_resources"]["listeners"][0]["filter_chains"][0]["transport_socket"]["typed_config"]
        (wanted,) = context["common_tls_context"]["tls_certificate_sds_secret_configs"]
        self.assertEqual(secret["name"], wanted["name"])

"""The manifests as objects of today's Kubernetes, which is newer than the API server of the tests: no unknown field, no wrong type."""

import json
import os
import tempfile
import unittest
from pathlib import Path

import manifests as m

OTHERS = {"cert-manager.io": "@kubernetes-models/cert-manager", "monitoring.coreos.com": "@kubernetes-models/prometheus-operator"}
UNKNOWN = {"external-secrets.io/v1"}  # no package has its types


def module_of(version):
    group = version.split("/")[0] if "/" in version else ""
    return f"{OTHERS.get(group, 'kubernetes-models')}/{version}"


def complaints(objects):
    """What the TypeScript compiler says of {name: [objects]} as literals of the types that are made from Kubernetes' own schemas."""
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        (home / "node_modules").symlink_to(m.tools() / "node_modules")
        for number, (name, things) in enumerate(objects.items()):
            lines = [f"// {name}"]
            for index, thing in enumerate(each for each in things if each["apiVersion"] not in UNKNOWN):
                kind, module = thing["kind"], module_of(thing["apiVersion"])
                lines.append(f'export const _{index}: import("{module}/{kind}").I{kind} = {json.dumps(thing)};')
            (home / f"{number}.ts").write_text("\n".join(lines) + "\n")
        done = m.attempt(["node", m.tools() / "node_modules/typescript/bin/tsc", "--noEmit", "--strict", "--skipLibCheck",
                          "--module", "preserve", "--moduleResolution", "bundler", "--target", "es2022",
                          *sorted(home.glob("*.ts"))], cwd=home)
        return done.stdout.strip()


class Today(unittest.TestCase):
    def test_KubernetesKnowsEachField(self):
        self.assertEqual("", complaints(m.all_manifests() | m.cluster_objects()))

    def test_AWrongFieldIsSeen(self):
        def deployment(**container):
            return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "spec": {
                "selector": {}, "template": {"spec": {"containers": [{"name": "x"}], "initContainers": [{"name": "y", **container}]}}}}
        certificate = {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "spec": {
            "secretName": "x", "issuerRef": {"name": "x"}, "dnsName": ["x"]}}
        said = complaints({"0": [deployment(restartPolicy="Always")], "1": [deployment(restartPolcy="Always")],
                           "2": [deployment(restartPolicy=1)], "3": [certificate]})
        self.assertNotIn("0.ts", said)
        for file, word in (("1.ts", "restartPolcy"), ("2.ts", "string"), ("3.ts", "dnsName")):
            self.assertRegex(said, rf"(?m)^{file}.*{word}")

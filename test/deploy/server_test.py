"""Every manifest goes through a server-side dry run on a real API server: defaults, validation and admission, as for users."""

import copy
import json
import re
import unittest

import cluster
import manifests as m

# Kinds that Kubernetes 1.20 does not have, or whose definitions are not installed here. test_KubernetesKnowsEachField covers them.
MAY_BE_ABSENT = {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "PodMonitor", "PrometheusRule"}


def native_sidecars(thing):
    pod = m.pod_of(thing) or {}
    return [each for each in pod.get("initContainers", []) if "restartPolicy" in each]


def with_ordinary_sidecars(thing):
    """The same with the native sidecars among the ordinary containers, where an older server validates all else of them."""
    thing = copy.deepcopy(thing)
    pod = m.pod_of(thing)
    for container in native_sidecars(thing):
        pod["initContainers"].remove(container)
        del container["restartPolicy"]
        pod["containers"].append(container)
    if not pod.get("initContainers"):
        pod.pop("initContainers", None)
    return thing


class Server(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.admin = cluster.Administrator()
        for name in (m.NAMESPACE, "monitoring"):
            cls.admin.namespace(name)

    def apply(self, *things):
        return self.admin("apply", "--dry-run=server", "--validate=strict", "--output=json", "--filename=-",
                          input=json.dumps({"apiVersion": "v1", "kind": "List", "items": things}))

    def accepted(self, things):
        """What the server makes of them."""
        done = self.apply(*things)
        self.assertEqual(0, done.returncode, done.stderr)
        answer = json.loads(done.stdout)
        items = answer["items"] if answer["kind"] == "List" else [answer]
        self.assertEqual([each["metadata"]["name"] for each in things], [each["metadata"]["name"] for each in items])
        return items

    def knows_native_sidecars(self):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "namespace": m.NAMESPACE}, "spec": {
            "automountServiceAccountToken": False, "containers": [{"name": "a", "image": "a"}],
            "initContainers": [{"name": "b", "image": "b", "restartPolicy": "Always"}]}}
        done = self.admin("create", "--dry-run=server", "--validate=false", "--output=json", "--filename=-", input=json.dumps(pod))
        return "restartPolicy" in json.loads(done.stdout)["spec"]["initContainers"][0] if done.returncode == 0 else False

    def test_AcceptsEveryManifestAndKeepsWhatItSays(self):
        native = self.knows_native_sidecars()
        count = moved = 0
        for origin, objects in m.all_manifests().items():
            with self.subTest(origin):
                things = []
                for thing in objects:
                    if native_sidecars(thing) and not native:
                        self.refused_for_native_sidecars_alone(thing)
                        thing = with_ordinary_sidecars(thing)
                        moved += 1
                    things.append(thing)
                for sent, kept in zip(things, self.accepted(things)):
                    self.contains(kept, sent, sent["kind"])
                    count += 1
        self.assertGreater(count, 120)
        if moved:
            self.assertGreaterEqual(moved, 4)
            print(f"{moved} native sidecars were sent as ordinary ones: this server does not know them")

    def refused_for_native_sidecars_alone(self, thing):
        refused = self.apply(thing)
        self.assertRegex(refused.stderr, r'unknown field "restartPolicy"')
        self.assertEqual(1, len(re.findall("unknown field", refused.stderr)), refused.stderr)

    def test_AcceptsWhatIsForTheCluster(self):
        for origin, objects in m.cluster_objects().items():
            for thing in objects:
                with self.subTest(origin, kind=thing["kind"]):
                    done = self.apply(thing)
                    if done.returncode != 0:
                        self.assertIn(thing["kind"], MAY_BE_ABSENT)
                        self.assertRegex(done.stderr, f'no matches for kind "{thing["kind"]}"')
                        print(f"{thing['kind']}: this server does not have such objects")

    def contains(self, whole, part, path):
        if isinstance(part, dict):
            for key, value in part.items():
                self.assertIn(key, whole, path)
                self.contains(whole[key], value, f"{path}.{key}")
        elif isinstance(part, list):
            self.assertEqual(len(part), len(whole), path)
            for index, value in enumerate(part):
                self.contains(whole[index], value, f"{path}[{index}]")
        else:
            self.assertEqual(part, whole, path)

    def test_RefusesAManifestWithAMisspeltField(self):
        thing = copy.deepcopy(next(each for each in m.all_manifests()["examples/nginx.yaml"] if each["kind"] == "Deployment"))
        m.pod_of(thing)["volumes"][0]["secret"]["optionl"] = True
        self.assertIn("optionl", self.apply(thing).stderr)

    def test_KnowsThePodOfATokenAsTheAdmissionPolicySupposes(self):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "bound-", "namespace": m.NAMESPACE}, "spec": {
            "automountServiceAccountToken": False, "serviceAccountName": "bound", "containers": [{"name": "a", "image": "a"}]}}
        self.admin("create", "serviceaccount", "bound", f"--namespace={m.NAMESPACE}")
        pod = self.create(pod)["metadata"]
        self.addCleanup(self.admin, "delete", "pod", pod["name"], f"--namespace={m.NAMESPACE}", "--now")
        token = self.create({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"boundObjectRef": {
            "apiVersion": "v1", "kind": "Pod", "name": pod["name"], "uid": pod["uid"]}}},
            f"--raw=/api/v1/namespaces/{m.NAMESPACE}/serviceaccounts/bound/token")["status"]["token"]
        review = self.create({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}})
        user = review["status"]["user"]
        self.assertEqual(f"system:serviceaccount:{m.NAMESPACE}:bound", user["username"])
        self.assertEqual([pod["uid"]], user["extra"]["authentication.kubernetes.io/pod-uid"])

    def create(self, thing, *flags):
        flags = flags or ("--output=json",)
        done = self.admin("create", "--filename=-", *flags, input=json.dumps(thing))
        self.assertEqual(0, done.returncode, done.stderr)
        return json.loads(done.stdout)

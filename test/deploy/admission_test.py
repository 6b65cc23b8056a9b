"""deploy/admission decides as it says. No API server of the tests has such policies (they came with 1.30): a CEL evaluator does."""

import copy
import json
import unittest

import manifests as m

POLICY, BINDING = m.load((m.DEPLOY / "admission/nudge-policy.yaml").read_text())
POD = {
    "apiVersion": "v1", "kind": "Pod",
    "metadata": {"name": "web-1", "namespace": "demo", "uid": "u-1", "resourceVersion": "7", "labels": {"app": "web"},
                 "annotations": {"a": "1"}, "ownerReferences": [{"kind": "ReplicaSet", "name": "web", "uid": "r"}]},
    "spec": {"serviceAccountName": "web", "containers": [{"name": "c", "image": "i"}]},
    "status": {"phase": "Running"},
}
ACCOUNT = "system:serviceaccount:demo:web"
OF_WEB_1 = {"authentication.kubernetes.io/pod-name": ["web-1"], "authentication.kubernetes.io/pod-uid": ["u-1"]}


def nudge(pod):
    pod["metadata"]["annotations"]["certlatch.io/nudge"] = "2026-01-01T00:00:00Z"


def request(name, change=nudge, user=ACCOUNT, extra=OF_WEB_1, before=lambda pod: None):
    old = copy.deepcopy(POD)
    before(old)
    new = copy.deepcopy(old)
    new["metadata"]["resourceVersion"] = "8"
    new["metadata"]["managedFields"] = [{"manager": "certlatch"}]
    change(new)
    info = {"username": user, "groups": ["system:authenticated"]} | ({"extra": extra} if extra is not None else {})
    return {"name": name, "request": {"namespace": "demo", "operation": "UPDATE", "userInfo": info}, "object": new, "oldObject": old}


def decide(*requests):
    done = m.attempt(["node", m.HERE / "admission.mjs", m.tools()], input=json.dumps({"policy": POLICY, "requests": requests}))
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


def metadata(**fields):
    return lambda pod: pod["metadata"].update(fields)


class Admission(unittest.TestCase):
    def all_are(self, decision, *requests):
        decisions = decide(*requests)
        self.assertEqual(len(requests), len(decisions))
        for name, said in decisions.items():
            self.assertIn(decision, said, name)

    def test_LetsAnAccountNudgeItsOwnPod(self):
        self.all_are(
            "allowed", request("the first time"),
            request("again", before=nudge, change=lambda pod: pod["metadata"]["annotations"].update({"certlatch.io/nudge": "later"})),
            request("where there was no annotation", before=lambda pod: pod["metadata"].pop("annotations"),
                    change=metadata(annotations={"certlatch.io/nudge": "1"})),
            request("away with it", before=nudge, change=lambda pod: pod["metadata"]["annotations"].pop("certlatch.io/nudge")),
            request("on a pod without labels or owners",
                    before=lambda pod: (pod["metadata"].pop("labels"), pod["metadata"].pop("ownerReferences"), pod.pop("status"))))

    def test_LetsItTouchNoOtherPod(self):
        self.all_are(
            "own pod only", request("another pod's token", extra={"authentication.kubernetes.io/pod-uid": ["u-2"]}),
            request("a pod of the same name, made anew", extra=OF_WEB_1 | {"authentication.kubernetes.io/pod-uid": ["u-0"]}),
            request("a token without a pod", extra={}), request("a token of long ago", extra=None),
            request("no pod in it", extra={"authentication.kubernetes.io/pod-uid": []}))

    def test_LetsItChangeNoOtherAnnotation(self):
        self.all_are(
            "no annotation but", request("a new one", metadata(annotations={"a": "1", "b": "2"})),
            request("a changed one", metadata(annotations={"a": "2", "certlatch.io/nudge": "1"})),
            request("one gone", metadata(annotations={"certlatch.io/nudge": "1"})),
            request("all gone", lambda pod: pod["metadata"].pop("annotations")))

    def test_LetsItChangeNothingElseOfThePodsMetadata(self):
        self.all_are(
            "labels, finalizers or owners", request("a label", metadata(labels={"app": "db"})),
            request("no labels", lambda pod: pod["metadata"].pop("labels")),
            request("a finalizer", metadata(finalizers=["x/y"])), request("no owner", metadata(ownerReferences=[])))

    def test_LetsItChangeNeitherSpecNorStatus(self):
        self.all_are(
            "spec or status", request("an image", lambda pod: pod["spec"]["containers"][0].update(image="evil")),
            request("a toleration", lambda pod: pod["spec"].update(tolerations=[{"operator": "Exists"}])),
            request("readiness", lambda pod: pod["status"].update(phase="Succeeded")),
            request("no status", lambda pod: pod.pop("status")))

    def test_ConcernsNobodyElse(self):
        def evil(pod):
            pod["spec"]["containers"][0]["image"] = "new"
        self.all_are(
            "not concerned", request("a person", evil, user="alice", extra=None),
            request("a kubelet", evil, user="system:node:n1", extra=None),
            request("a controller", evil, user="system:serviceaccount:kube-system:job-controller"),
            request("a namespace whose name begins alike", evil, user="system:serviceaccount:demo-2:web"))

    def test_IsBoundToNamespacesThatAskForIt(self):
        self.assertEqual(POLICY["metadata"]["name"], BINDING["spec"]["policyName"])
        self.assertEqual(["Deny"], BINDING["spec"]["validationActions"])
        self.assertEqual({"certlatch.io/confine-nudge": "true"}, BINDING["spec"]["matchResources"]["namespaceSelector"]["matchLabels"])
        # Its ServiceAccounts are Kubernetes' own controllers, which rightly change the pods there.
        (other,) = BINDING["spec"]["matchResources"]["namespaceSelector"]["matchExpressions"]
        self.assertEqual(("kubernetes.io/metadata.name", "NotIn", ["kube-system"]), (other["key"], other["operator"], other["values"]))
        self.assertEqual("Fail", POLICY["spec"]["failurePolicy"])
        (rule,) = POLICY["spec"]["matchConstraints"]["resourceRules"]
        self.assertEqual((["pods", "pods/*"], ["UPDATE"]), (rule["resources"], rule["operations"]))

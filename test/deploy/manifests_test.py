"""The manifests of deploy/: what is asked of each, as it comes from kubectl and helm."""

import copy
import functools
import json
import os
import re
import shutil
import unittest

import manifests as m
import pod_security

CERTLATCH = os.environ.get("CERTLATCH_BINARY") or os.environ.get("CERTLATCH_BUILT", "certlatch")
MEGA = {"Mi": 1 << 20, "Ki": 1 << 10, "Gi": 1 << 30}


def pods():
    """(origin, object, pod) of every pod template."""
    for origin, objects in m.all_manifests().items():
        for thing in objects:
            if m.pod_of(thing):
                yield origin, thing, m.pod_of(thing)


def ours():
    """(origin, object, pod, container) of every container of certlatch."""
    for origin, thing, pod in pods():
        for container in pod_security.containers(pod):
            if m.is_certlatch(container):
                yield origin, thing, pod, container


def flag(container, name):
    """The values of --name."""
    start = f"--{name}="
    return [argument[len(start):] for argument in container["args"] if argument.startswith(start)]


def targets(container):
    """What a container waits for, by whichever way."""
    words = [word for word in container["args"][1:] if not word.startswith("-")] if container["args"][0] == "wait" else []
    return words + flag(container, "wait")


def effective_uid(pod, container):
    return container.get("securityContext", {}).get("runAsUser", pod.get("securityContext", {}).get("runAsUser"))


def volume_at(pod, container, directory):
    """The volume and its mount, None where nothing is mounted."""
    for mount in container.get("volumeMounts", []):
        if mount["mountPath"] == directory:
            return next(volume for volume in pod["volumes"] if volume["name"] == mount["name"]), mount
    return None


def atoms(rules):
    """Rules as what they allow, one by one, in whatever way they are grouped."""
    return {(group, resource, name, verb) for rule in rules for group in rule["apiGroups"] for resource in rule["resources"]
            for name in rule.get("resourceNames", ["*"]) for verb in rule["verbs"]}


@functools.cache
def rbac(*words):
    """Exit status, output and errors of `certlatch rbac --service-account WORDS...`; many containers are alike."""
    done = m.attempt([CERTLATCH, "rbac", "--service-account", *words])
    return done.returncode, done.stdout, done.stderr


class Manifests(unittest.TestCase):
    def test_AreThere(self):
        origins = set(m.all_manifests())
        for name in ("wait", "nginx", "postgresql", "haproxy", "envoy", "go-webhook", "leader-follower", "helm-hook-job",
                     "native-sidecar", "nudge", "write", "write-hook", "exec-probe"):
            self.assertIn(f"examples/{name}.yaml", origins)
        self.assertEqual(2, sum(origin.startswith("kustomize/") for origin in origins))
        self.assertEqual(7, sum(origin.startswith("helm/") for origin in origins))
        self.assertGreater(len(list(ours())), 40)

    def test_PodsAreUnderTheRestrictedStandardWithAReadOnlyRoot(self):
        for origin, thing, pod in pods():
            with self.subTest(origin, object=thing["metadata"]["name"]):
                self.assertEqual([], pod_security.violations(pod))
                for container in pod_security.containers(pod):
                    self.assertIs(True, container["securityContext"].get("readOnlyRootFilesystem"), container["name"])

    def test_ArgumentsAreUnderstoodByTheProgram(self):
        understood = 0
        for origin, thing, _, container in ours():
            with self.subTest(origin, container=container["name"]):
                self.ask_rbac("any", container)
                understood += 1
        self.assertGreater(understood, 30)
        self.assertIn("proove", rbac("any", "sidecar", "--volume=/x", "--proove=x")[2], "this is how it tells of a flag that it does not know")

    def ask_rbac(self, account, container):
        """The objects that `certlatch rbac` prints for a container."""
        mode, *arguments = container["args"]
        if mode != "install":
            arguments.append(f"--namespace={m.NAMESPACE}")
        status, printed, error = rbac(account, mode, *arguments)
        self.assertEqual((0, ""), (status, error), f"{container['args']}")
        return m.load(printed)

    def test_TheProbeInTheAppIsUnderstoodToo(self):
        (pod,) = [pod for origin, _, pod in pods() if origin == "examples/exec-probe.yaml"]
        (app,) = pod["containers"]
        program, mode, *arguments = app["readinessProbe"]["exec"]["command"]
        (put,) = [each for each in pod["initContainers"] if each["args"][0] == "install"]
        self.assertEqual(f"{put['args'][1]}/certlatch", program)
        self.assertIsNotNone(volume_at(pod, app, put["args"][1]))
        self.assertEqual((0, "check", ""), (rbac("any", mode, *arguments)[0], mode, rbac("any", mode, *arguments)[2]))
        # The first look is mostly too early, and a rollout waits for the next one; a reload has minutes all the same.
        probe = app["readinessProbe"]
        self.assertLessEqual(probe["periodSeconds"], 10)
        self.assertGreaterEqual(probe["periodSeconds"] * probe.get("failureThreshold", 3), 180)

    def test_AHookBeforeTheAppOutlastsItsSidecarAndNeedsNoRights(self):
        (pod,) = [pod for origin, _, pod in pods() if origin == "examples/write-hook.yaml"]
        sidecar, app = pod["containers"]
        self.assertTrue(m.is_certlatch(sidecar) and not m.is_certlatch(app), "the kubelet starts them in this order")
        program, *words = sidecar["lifecycle"]["postStart"]["exec"]["command"]
        self.assertEqual(("certlatch", 0, "# This command asks nothing of the API server.\n", ""), (program, *rbac("any", *words)))
        hook = {"args": words}
        self.assertEqual([f"{directory}=pair" for directory in flag(sidecar, "volume")], flag(hook, "mounted"))
        minutes = [int(re.fullmatch(r"(\d+)m", flag(each, "timeout")[0])[1]) for each in (sidecar, hook)]
        self.assertLess(minutes[0], minutes[1])
        self.assertLessEqual(minutes[1], 10, "many kubelets do not end a deleted pod before")

    def test_RightsAreThoseThatTheProgramPrintsForItsArguments(self):
        for origin, objects in m.all_manifests().items():
            with self.subTest(origin):
                needed, given = {}, {}
                for thing in objects:
                    pod = m.pod_of(thing)
                    for container in pod_security.containers(pod) if pod else []:
                        if m.is_certlatch(container):
                            for printed in self.ask_rbac(pod.get("serviceAccountName", "default"), container) or []:
                                self.collect(printed, pod.get("serviceAccountName", "default"), needed)
                bound = {}
                for thing in objects:
                    if thing["kind"].endswith("RoleBinding"):
                        (subject,) = thing["subjects"]
                        self.assertEqual(("ServiceAccount", m.NAMESPACE), (subject["kind"], subject["namespace"]))
                        bound[(thing["roleRef"]["kind"], thing["roleRef"]["name"])] = subject["name"]
                for thing in objects:
                    if thing["kind"] in ("Role", "ClusterRole"):
                        self.collect(thing, bound[(thing["kind"], thing["metadata"]["name"])], given)
                self.assertEqual(needed, given)

    @staticmethod
    def collect(role, account, into):
        if role["kind"] in ("Role", "ClusterRole"):
            into.setdefault((account, role["kind"]), set()).update(atoms(role["rules"]))

    def test_AccountsAreThoseOfThePods(self):
        for origin, thing, pod in pods():
            with self.subTest(origin):
                accounts = [each["metadata"]["name"] for each in m.all_manifests()[origin] if each["kind"] == "ServiceAccount"]
                self.assertIn(pod["serviceAccountName"], accounts)

    def test_ASecretIsWaitedForOnlyWithTheCertificateThatFillsIt(self):
        seen = 0
        for origin, thing, _, container in ours():
            names = [target.split("/")[1] for target in targets(container) if target.startswith("secret/")]
            names += [value.split("=secret/")[1] for name in ("mounted", "write") for value in flag(container, name)
                      if "=secret/" in value and container["args"][0] == "wait"]
            for name in names:
                with self.subTest(origin, container=container["name"], secret=name):
                    seen += 1
                    certificates = [each["metadata"]["name"] for each in m.all_manifests()[origin]
                                    if each["kind"] == "Certificate" and each["spec"]["secretName"] == name]
                    self.assertEqual(1, len(certificates))
                    self.assertIn(f"certificate/{certificates[0]}", targets(container))
        self.assertGreater(seen, 20)

    def test_SecretVolumesThatAreWaitedForAreOptional(self):
        for origin, thing, pod in pods():
            for volume in pod.get("volumes", []):
                if "secret" in volume:
                    with self.subTest(origin, volume=volume["name"]):
                        self.assertIs(True, volume["secret"].get("optional"))
                        self.assertEqual(0o440, volume["secret"]["defaultMode"])
                        self.assertIn("fsGroup", pod["securityContext"])

    def test_ThePlainOnesSayWhyTheSecretIsOptional(self):
        for file in (m.DEPLOY / "examples").glob("*.yaml"):
            text = file.read_text()
            self.assertEqual(text.count("optional: true\n"), text.count("# Without it the kubelet holds back every container"), file)

    def test_TheMountedDirectoryIsTheOneThatIsMounted(self):
        for origin, thing, pod, container in ours():
            directories = flag(container, "volume") + [value.split("=")[0] for name in ("mounted", "write")
                                                       for value in flag(container, name)]
            for directory in directories:
                with self.subTest(origin, container=container["name"], directory=directory):
                    volume, mount = volume_at(pod, container, directory)
                    self.assertNotIn("subPath", mount)
                    if flag(container, "write"):
                        self.assertEqual("Memory", volume["emptyDir"]["medium"])
                        self.assertNotIn("readOnly", mount)
                    else:
                        self.assertIs(True, mount["readOnly"])
                        expected = [value.split("/")[-1] for value in flag(container, "mounted") if "=secret/" in value]
                        self.assertEqual(expected, [volume["secret"]["secretName"]] * len(expected))

    def test_TheAppMountsTheSameVolumeReadOnly(self):
        for origin, thing, pod in pods():
            names = {mount["name"] for container in pod_security.containers(pod) if m.is_certlatch(container)
                     for mount in container.get("volumeMounts", []) if mount["mountPath"] == "/etc/tls"}
            for name in names:
                with self.subTest(origin):
                    mounts = [mount for container in pod["containers"] if not m.is_certlatch(container)
                              for mount in container.get("volumeMounts", []) if mount["name"] == name]
                    self.assertTrue(mounts)
                    self.assertTrue(all(mount["readOnly"] for mount in mounts))

    def test_ASignalFindsItsProcessAndMayBeSent(self):
        seen = 0
        for origin, thing, pod, container in ours():
            if flag(container, "signal"):
                with self.subTest(origin):
                    seen += 1
                    self.assertIs(True, pod.get("shareProcessNamespace"))
                    uids = {effective_uid(pod, each) for each in pod_security.containers(pod)}
                    self.assertEqual(1, len(uids))
                    self.assertGreater(uids.pop(), 0)
        self.assertGreater(seen, 8)

    def test_WhoNudgesKnowsItsPodAndKeepsItsTokenFromTheApp(self):
        seen = 0
        for origin, thing, pod, container in ours():
            if "--nudge" in container["args"]:
                with self.subTest(origin, container=container["name"]):
                    seen += 1
                    paths = {each["name"]: each["valueFrom"]["fieldRef"]["fieldPath"] for each in container["env"]}
                    self.assertEqual({"POD_NAME": "metadata.name", "POD_NAMESPACE": "metadata.namespace"}, paths)
                    account = next((each for each in m.all_manifests()[origin] if each["kind"] == "ServiceAccount"
                                    and each["metadata"]["name"] == pod["serviceAccountName"]))
                    self.assertIn(False, (pod.get("automountServiceAccountToken"), account.get("automountServiceAccountToken")))
                    for each in pod_security.containers(pod):
                        directory = "/var/run/secrets/kubernetes.io/serviceaccount"
                        self.assertEqual(m.is_certlatch(each), volume_at(pod, each, directory) is not None, each["name"])
        self.assertEqual(4, seen)

    def test_SidecarsAreProbedAndScraped(self):
        for origin, thing, pod, container in ours():
            if container["args"][0] == "sidecar":
                with self.subTest(origin):
                    self.assertEqual([{"name": "certlatch", "containerPort": 9847}], container["ports"])
                    self.assertEqual("/healthz", container["livenessProbe"]["httpGet"]["path"])
                    self.assertEqual("/readyz", container["readinessProbe"]["httpGet"]["path"])
                    if container in pod.get("initContainers", []):
                        self.assertEqual("Always", container["restartPolicy"])
                        probe = container["startupProbe"]
                        self.assertEqual("/startupz", probe["httpGet"]["path"])
                        (timeout,) = flag(container, "timeout")
                        minutes = int(re.fullmatch(r"(\d+)m", timeout)[1])
                        self.assertGreater(probe["failureThreshold"] * probe["periodSeconds"], 60 * minutes)

    def test_ResourcesAreAFewMegabytes(self):
        for origin, thing, pod, container in ours():
            with self.subTest(origin, container=container["name"]):
                amount = {kind: container["resources"][kind]["memory"] for kind in ("requests", "limits")}
                self.assertEqual({"requests": "8Mi", "limits": "32Mi"}, amount)
                self.assertIn("cpu", container["resources"]["requests"])
                self.assertNotIn("cpu", container["resources"]["limits"])

    def test_ThereIsOneImage(self):
        for origin, thing, pod, container in ours():
            if origin.startswith("examples/"):
                self.assertEqual(m.IMAGE, container["image"], origin)
            elif origin.startswith("kustomize/"):
                self.assertEqual("registry.example.com/mirror/certlatch:0.1.0", container["image"])
            elif "write-values" in origin and "native" not in origin:
                self.assertRegex(container["image"], r"^registry\.example\.com/certlatch@sha256:[0-9a-f]{64}$")
            else:
                self.assertEqual(m.IMAGE, container["image"], origin)

    def test_TheImageIsOfTheProgramsOwnVersion(self):
        version = re.search(r"\d+\.\d+\.\d+", m.run([CERTLATCH, "version"]))[0]
        self.assertEqual(version, m.IMAGE.split(":")[1])
        (about,) = m.load((m.DEPLOY / "helm/certlatch/Chart.yaml").read_text())
        self.assertEqual((version, version), (about["version"], about["appVersion"]))

    def test_TheRightsOfAHookComeBeforeItsJob(self):
        for origin, objects in m.all_manifests().items():
            hooks = {thing["kind"]: thing["metadata"]["annotations"] for thing in objects
                     if "helm.sh/hook" in thing["metadata"].get("annotations", {})}
            if not hooks:
                continue
            with self.subTest(origin):
                self.assertEqual({"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Job"}, set(hooks))
                self.assertEqual(1, len({hook["helm.sh/hook"] for hook in hooks.values()}))
                weights = {kind: int(hook["helm.sh/hook-weight"]) for kind, hook in hooks.items()}
                job = weights.pop("Job")
                self.assertTrue(all(weight < job for weight in weights.values()))
                # Helm deletes what succeeded when all hooks of the event have; nobody else would, not even an uninstall.
                self.assertEqual({"before-hook-creation,hook-succeeded"}, {hook["helm.sh/hook-delete-policy"] for hook in hooks.values()})
        self.assertTrue(hooks)

    def test_AHookTellsItsReasonBeforeHelmEndsTheWait(self):
        """Helm gives each hook five minutes, unless --timeout says otherwise."""
        seen = 0
        for origin, thing, _, container in ours():
            if thing["kind"] == "Job":
                with self.subTest(origin):
                    seen += 1
                    minutes = int(re.fullmatch(r"(\d+)m", flag(container, "timeout")[0])[1])
                    self.assertLess(60 * minutes, thing["spec"]["activeDeadlineSeconds"])
                    self.assertLess(thing["spec"]["activeDeadlineSeconds"], 300)
        self.assertGreater(seen, 7)

    def test_KustomizeLeavesNothingOfItsOwn(self):
        for origin, objects in m.all_manifests().items():
            if origin.startswith("kustomize/"):
                text = json.dumps(objects)
                for word in ("CERTIFICATE", "SECRET", "ACCOUNT", "NAMESPACE", '"certificate": "web"'):
                    self.assertNotIn(word, text)
                self.assertEqual({m.NAMESPACE}, {thing["metadata"]["namespace"] for thing in objects})
                names = [each["name"] for thing in objects if m.pod_of(thing) for each in m.pod_of(thing)["containers"]]
                self.assertEqual("nginx", names[0], "whose logs are shown by default")

    def test_KustomizeBindsTheAccountOfThisNamespaceWhereverThatIsDeclared(self):
        """An account that is no resource of the overlay is not moved to its namespace by kustomize."""
        for name in ("wait-and-sidecar", "native-sidecar"):
            with self.subTest(name):
                copy_of = m.scratch() / f"kustomize-{name}"
                shutil.copytree(m.DEPLOY / "kustomize", copy_of)
                web = copy_of / "example/base/web.yaml"
                documents = [each for each in web.read_text().split("---\n") if "kind: ServiceAccount" not in each]
                web.write_text("---\n".join(documents))
                done = m.kubectl("kustomize", copy_of / "example" / name)
                self.assertEqual(0, done.returncode, done.stderr)
                objects = m.load(done.stdout)
                self.assertNotIn("ServiceAccount", {each["kind"] for each in objects})
                (binding,) = [each for each in objects if each["kind"] == "RoleBinding"]
                self.assertEqual([{"kind": "ServiceAccount", "name": "web", "namespace": m.NAMESPACE}], binding["subjects"])

    def test_KustomizeNamesTheRightsSoThatTwoAppsOfANamespaceHaveTheirOwn(self):
        copy_of = m.scratch() / "kustomize-two"
        shutil.copytree(m.DEPLOY / "kustomize", copy_of)
        names = set()
        for account, secret in (("web", "web-tls"), ("api", "web-tls"), ("web", "a.b-tls")):
            for overlay in ("wait-and-sidecar", "native-sidecar"):
                file = copy_of / "example" / overlay / "kustomization.yaml"
                text = (m.DEPLOY / "kustomize/example" / overlay / "kustomization.yaml").read_text()
                file.write_text("namePrefix: our-\n" + text.replace("secret=web-tls", f"secret={secret}")
                                .replace("serviceAccount=web", f"serviceAccount={account}"))
                done = m.kubectl("kustomize", file.parent)
                self.assertEqual(0, done.returncode, done.stderr)
                things = {each["kind"]: each for each in m.load(done.stdout)}
                name = things["Role"]["metadata"]["name"]
                self.assertEqual([name, name], [things["RoleBinding"]["metadata"]["name"], things["RoleBinding"]["roleRef"]["name"]])
                self.assertEqual([secret], things["Role"]["rules"][1]["resourceNames"])
                names.add(name)
        self.assertEqual({"our-certlatch-web-web-tls", "our-certlatch-api-web-tls", "our-certlatch-web-a.b-tls"}, names)

    def test_HelmRefusesWhatCannotBeMeant(self):
        cases = {"certlatch.nudg=true": "nudg", "certlatch.secret=": "certlatch: set secret",
                 "certlatch.expect=leese": "expect", "certlatch.expect=lease": "set lease",
                 "certlatch.expect=lease,certlatch.lease=x,certlatch.write=true": "does not go with it",
                 "certlatch.nudge=true": "nudge", "certlatch.nudge=true,certlatch.expect=secret,certlatch.write=true": "nudge",
                 "certlatch.image.tag=1": "image.tag", "certlatch.hook.targets=null": "certlatch"}
        for setting, words in cases.items():
            with self.subTest(setting):
                done = m.helm("template", "--set", setting)
                self.assertNotEqual(0, done.returncode, setting)
                self.assertIn(words, done.stderr)

    def test_TheLongestReleaseNameGivesAJobANameThatPodsCanBear(self):
        done = m.attempt([m.tools() / "bin/helm", "template", "r" * 52 + "s", m.chart(), f"--namespace={m.NAMESPACE}"])
        self.assertEqual(0, done.returncode, done.stderr)
        (job,) = [each for each in m.load(done.stdout) if each["kind"] == "Job"]
        self.assertLessEqual(len(job["metadata"]["name"]), 63)
        self.assertEqual(job["metadata"]["name"], job["spec"]["template"]["spec"]["serviceAccountName"])

    def test_ACallOverridesTheValuesOfTheChart(self):
        file = m.chart() / "templates/override.yaml"
        file.write_text("""{{- $with := dict "certificate" "api" "secret" "api-tls" -}}
call: {{ include "certlatch.initContainer" (dict "root" . "with" $with) | nindent 2 }}
own: {{ include "certlatch.initContainer" . | nindent 2 }}
""")
        try:
            done = m.helm("template", "--show-only=templates/override.yaml")
        finally:
            file.unlink()
        self.assertEqual(0, done.returncode, done.stderr)
        (rendered,) = m.load(done.stdout)
        self.assertEqual(["certificate/api", "secret/api-tls"], rendered["call"][0]["args"][1:3])
        self.assertEqual(["certificate/web", "secret/web-tls"], rendered["own"][0]["args"][1:3])


class PodSecurity(unittest.TestCase):
    GOOD = {"securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{"name": "a", "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}]}

    def test_SeesEachViolation(self):
        self.assertEqual([], pod_security.violations(self.GOOD))
        cases = {
            "hostPID": lambda pod, container: pod.update(hostPID=True),
            "hostPath": lambda pod, container: pod.update(volumes=[{"name": "v", "hostPath": {"path": "/"}}]),
            "privileged": lambda pod, container: container["securityContext"].update(privileged=True),
            "allowPrivilegeEscalation": lambda pod, container: container["securityContext"].pop("allowPrivilegeEscalation"),
            "drop ALL": lambda pod, container: container["securityContext"].pop("capabilities"),
            "adds": lambda pod, container: container["securityContext"]["capabilities"].update(add=["KILL"]),
            "runAsNonRoot": lambda pod, container: container["securityContext"].update(runAsNonRoot=False),
            "runAsUser": lambda pod, container: container["securityContext"].update(runAsUser=0),
            "seccompProfile": lambda pod, container: pod["securityContext"].pop("seccompProfile"),
            "hostPort": lambda pod, container: container.update(ports=[{"hostPort": 80}]),
            "names a host": lambda pod, container: container.update(livenessProbe={"httpGet": {"host": "10.0.0.1"}}),
        }
        for words, change in cases.items():
            pod = copy.deepcopy(self.GOOD)
            change(pod, pod["containers"][0])
            self.assertIn(words, " ".join(pod_security.violations(pod)))
        pod = copy.deepcopy(self.GOOD)
        pod["initContainers"] = [{"name": "b"}]
        self.assertTrue(pod_security.violations(pod))

"""What deploy/ hands out, rendered: plain files, kustomize's overlays, and the example chart with each of its values files."""

import atexit
import functools
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import yaml

HERE = pathlib.Path(__file__).resolve().parent
DEPLOY = HERE.parent.parent / "deploy"
IMAGE = "registry.example.com/certlatch:0.1.0"
NAMESPACE = "demo"


class SourceLoader(yaml.SafeLoader):
    """As kubectl reads YAML, and a key that is there twice is an error."""


def _mapping(loader, node, deep=False):
    keys = [loader.construct_object(key, deep) for key, _ in node.value]
    if len(keys) != len(set(map(str, keys))):
        raise yaml.constructor.ConstructorError(None, None, f"a key twice among {keys}", node.start_mark)
    return yaml.SafeLoader.construct_mapping(loader, node, deep)


SourceLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def load(text):
    return [document for document in yaml.load_all(text, SourceLoader) if document]


@functools.cache
def scratch():
    directory = tempfile.mkdtemp(prefix="certlatch-deploy.")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return pathlib.Path(directory)


@functools.cache
def tools():
    return pathlib.Path(run([HERE / "tools.sh"]).split("\n")[-2])


def run(command, **more):
    """Standard output of a command that must succeed."""
    done = attempt(command, **more)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}")
    return done.stdout


def attempt(command, **more):
    return subprocess.run(list(map(str, command)), text=True, capture_output=True, check=False, timeout=600, **more)


def kubectl(*arguments, **more):
    return attempt([tools() / "bin/kubectl", *arguments], **more)


@functools.cache
def chart():
    """A copy of the charts, the example with its dependency."""
    copy = scratch() / "helm"
    shutil.copytree(DEPLOY / "helm", copy, ignore=shutil.ignore_patterns("charts", "Chart.lock"))
    home = {name: str(scratch() / name) for name in ("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME")}
    os.environ.update(home)
    run([tools() / "bin/helm", "dependency", "update", copy / "example"])
    return copy / "example"


def helm(*arguments):
    where = chart()
    return attempt([tools() / "bin/helm", *arguments[:1], "web", where, f"--namespace={NAMESPACE}", *arguments[1:]])


def _rendered(command_result, origin):
    if command_result.returncode != 0:
        raise AssertionError(f"{origin}: {command_result.stderr}")
    return load(command_result.stdout)


@functools.cache
def all_manifests():
    """{where it comes from: [objects]}"""
    rendered = os.environ.get("CERTLATCH_RENDERED")
    return json.loads(pathlib.Path(rendered).read_text()) if rendered else render()


def render():
    found = {f"examples/{file.name}": load(file.read_text()) for file in sorted((DEPLOY / "examples").glob("*.yaml"))}
    for overlay in sorted((DEPLOY / "kustomize/example").glob("*/kustomization.yaml")):
        if overlay.parent.name != "base":
            origin = f"kustomize/example/{overlay.parent.name}"
            found[origin] = _rendered(kubectl("kustomize", overlay.parent), origin)
    values = sorted((DEPLOY / "helm/example/ci").glob("*.yaml"))
    for file in [None, *values]:
        origin = f"helm/example with {file.name if file else 'its own values'}"
        found[origin] = _rendered(helm("template", *([f"--values={file}"] if file else [])), origin)
    return found


def cluster_objects():
    """What is not for a namespace of an app: {file: [objects]}"""
    files = [DEPLOY / "admission/nudge-policy.yaml", DEPLOY / "monitoring/podmonitor.yaml",
             DEPLOY / "monitoring/prometheusrule.yaml"]
    return {str(file.relative_to(DEPLOY)): load(file.read_text()) for file in files}


def pod_of(thing):
    """The pod template's spec, None where there is none."""
    if thing["kind"] in ("Deployment", "StatefulSet", "DaemonSet", "Job"):
        return thing["spec"]["template"]["spec"]
    return None


def is_certlatch(container):
    return container["image"].split("@")[0].split("/")[-1].split(":")[0] == "certlatch"

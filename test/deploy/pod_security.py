"""Judges a pod by the restricted Pod Security Standard: each violation as one line of text."""

VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
HANDLERS = ("livenessProbe", "readinessProbe", "startupProbe")


def containers(pod):
    """All of a pod's containers, init containers first."""
    return pod.get("initContainers", []) + pod.get("containers", []) + pod.get("ephemeralContainers", [])


def violations(pod):
    found = []
    own = pod.get("securityContext", {})
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(field):
            found.append(f"{field} is set")
    for volume in pod.get("volumes", []):
        kinds = set(volume) - {"name"}
        if not kinds <= VOLUMES:
            found.append(f"volume {volume['name']} is a {', '.join(sorted(kinds - VOLUMES))}")
    if own.get("sysctls") or own.get("seLinuxOptions") or own.get("windowsOptions"):
        found.append("sysctls, seLinuxOptions or windowsOptions are set")
    for container in containers(pod):
        found += [f"{container['name']}: {what}" for what in _of_container(container, own)]
    return found


def _of_container(container, pod):
    context = container.get("securityContext", {})
    if context.get("privileged"):
        yield "is privileged"
    if context.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation is not false"
    capabilities = context.get("capabilities", {})
    if "ALL" not in capabilities.get("drop", []):
        yield "does not drop ALL capabilities"
    if set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
        yield "adds capabilities"
    if context.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True:
        yield "runAsNonRoot is not true"
    if context.get("runAsUser", pod.get("runAsUser")) == 0:
        yield "runAsUser is 0"
    if context.get("seccompProfile", pod.get("seccompProfile", {})).get("type") not in ("RuntimeDefault", "Localhost"):
        yield "has no seccompProfile"
    if context.get("procMount", "Default") != "Default":
        yield "has a procMount"
    if context.get("seLinuxOptions") or context.get("windowsOptions"):
        yield "has seLinuxOptions or windowsOptions"
    for port in container.get("ports", []):
        if port.get("hostPort"):
            yield "has a hostPort"
    for handler in HANDLERS:
        if container.get(handler, {}).get("httpGet", {}).get("host"):
            yield f"{handler} names a host"

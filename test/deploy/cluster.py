"""The API server that test/cluster/start-for-tests.sh started, for the tests of deploy/."""

import os
import shlex
import unittest
from pathlib import Path

import manifests as m


def access():
    """What RUN_DIR/env says. Skips the test where there is to be no cluster."""
    if os.environ.get("CERTLATCH_SKIP_CLUSTER") == "1":
        raise unittest.SkipTest("CERTLATCH_SKIP_CLUSTER=1: NOT tested against a real API server")
    directory = os.environ.get("CERTLATCH_CLUSTER_DIR") or os.environ.get("CERTLATCH_CLUSTER_RUN_DIR", "")
    file = Path(directory) / "env"
    if not file.exists():
        raise AssertionError(f"no {file}: run this through ctest, or start a cluster with test/cluster/start-for-tests.sh and name its "
                             "directory in CERTLATCH_CLUSTER_DIR")
    return dict(shlex.split(line)[0].split("=", 1) for line in file.read_text().splitlines() if line)


class Administrator:
    def __init__(self):
        self.access = access()

    def __call__(self, *arguments, **more):
        return m.kubectl(f"--kubeconfig={self.access['KUBECONFIG']}", *arguments, **more)

    def namespace(self, name):
        """Makes sure that it is there: other tests may be about the same."""
        done = self("create", "namespace", name)
        if done.returncode != 0 and "AlreadyExists" not in done.stderr:
            raise AssertionError(done.stderr)

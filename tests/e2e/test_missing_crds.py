"""An operator that is started before its CRDs: it says so once, with the command, and goes on by itself once they are there."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dev.control_plane import ControlPlane
from dev.local_azure import LocalAzure
from dev.operator_process import OperatorProcess
from tests.support.control_plane import CRDS
from tests.support.crd_examples import UUID

ADVICE = "`bastion-operator crds | kubectl apply --server-side -f -` installs them"
IDENTITY = (
    '{"apiVersion":"azurebastion.dev/v1beta1","kind":"AzureIdentity","metadata":{"name":"default"},'
    f'"spec":{{"type":"ManagedIdentity","tenantID":"{UUID}"}}}}'
)


def wait_for(met: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + 60
    while not met():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)


@pytest.mark.long
def test_crds_that_are_missing_at_the_start_are_told_once_and_waited_for(tmp_path: Path) -> None:
    azure = LocalAzure(tmp_path, speed=1000)
    azure.start()
    with ControlPlane() as control_plane:
        operator = OperatorProcess(
            control_plane,
            azure,
            tmp_path,
            kubeconfig=control_plane.kubeconfig,
            operator_namespace="default",
            speed=20,
        )
        operator.start(wait=False)
        try:
            wait_for(lambda: ADVICE in operator.log.read_text(), operator.log)
            # Ten times as long as it takes to look again.
            time.sleep(1)
            (line,) = operator.log.read_text().splitlines()
            assert ADVICE in line
            control_plane.kubectl("apply", "--server-side", "--filename", str(CRDS))
            control_plane.kubectl("apply", "--filename", "-", input=IDENTITY)
            path = "jsonpath={.status.conditions[?(@.type=='Ready')].status}"
            wait_for(lambda: control_plane.kubectl("get", "azid", "default", "--output", path) == "False", operator.log)
            assert operator.child is not None
            assert operator.child.running
        finally:
            operator.kill()
            azure.kill()

"""Rights of the operator's account taken away from the whole program: what is missing is named, and all comes right once it is
granted again.

Those that a pass needs in its middle: tests/component/reconcile/test_operator_rights.py. Together they are all of them.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from dev.local_azure import LocalAzure
from tests.component.reconcile.test_operator_rights import TOLD
from tests.component.test_deploy_role import TENANT, apply_example, azure_with_the_role, leading_to, shipped_rights
from tests.support.azure import AzureFactory
from tests.support.deployment import BASE, NAMESPACE, Installation, Manifest, running_operator

Right = tuple[str, str]
"""A resource, as in a rule, and a verb."""
OURS = ("azureidentities", "bastionhosts", "vnetpeerings")
LOG = "log"
# Where the lack is told: in a condition of this kind of resource, or, where none can be written, in the log.
AT_THE_START: dict[Right, str] = {
    **{(resource, verb): LOG for resource in OURS for verb in ("list", "watch")},
    **{("leases", verb): LOG for verb in ("get", "create", "update")},
    ("azureidentities", "patch"): "AzureIdentity",
    ("bastionhosts", "patch"): "BastionHost",
    ("vnetpeerings", "get"): LOG,
    ("azureidentities/status", "patch"): LOG,
    ("vnetpeerings/status", "patch"): LOG,
}
ONCE_ALL_IS_MADE: dict[Right, str] = {
    ("reachabilityreports", "get"): "BastionHost",
    ("reachabilityreports", "delete"): "BastionHost",
    ("events", "patch"): LOG,
}


def test_each_right_is_taken_away_by_one_test() -> None:
    shipped = {(resource, verb) for _, resource, verb in shipped_rights()}

    assert sorted(shipped) == sorted([*TOLD, *AT_THE_START, *ONCE_ALL_IS_MADE])


@pytest.fixture
def azure(installation: Installation, azure_factory: AzureFactory, tmp_path: Path) -> Iterator[LocalAzure]:
    """The example's Azure, and a cluster without a Lease and without custom resources."""
    installation.control_plane.kubectl("delete", "lease", "--all", "-n", NAMESPACE)
    yield azure_with_the_role(azure_factory, tmp_path)
    grant_all(installation)
    # A test that failed leaves them behind.
    for each in everything(installation):
        where = ("-n", each["metadata"]["namespace"]) if "namespace" in each["metadata"] else ()
        named = (each["kind"], each["metadata"]["name"], *where)
        free = '--patch={"metadata":{"finalizers":null}}'
        installation.control_plane.kubectl("patch", *named, "--type=merge", free)
        installation.control_plane.kubectl("delete", *named, "--ignore-not-found")


def name_of(right: Right) -> str:
    return f"{right[1]}-{right[0].replace('/', '-')}"


@pytest.mark.long
@pytest.mark.parametrize("right", AT_THE_START, ids=name_of)
def test_a_right_that_is_missing_from_the_start(
    installation: Installation, azure: LocalAzure, tmp_path: Path, right: Right
) -> None:
    before = set(azure.resources())
    log = tmp_path / "operator.log"
    take_away(installation, right)
    apply_example(installation, azure)
    with running_operator(installation, log, leading_to(azure)):
        wait_until_told(installation, log, right, AT_THE_START[right])

        grant_all(installation)

        comes_right_and_ends_clean(installation)
    assert "Traceback" not in log.read_text()
    assert set(azure.resources()) == before


@pytest.mark.long
@pytest.mark.parametrize("right", ONCE_ALL_IS_MADE, ids=name_of)
def test_a_right_that_is_missing_later(
    installation: Installation, azure: LocalAzure, tmp_path: Path, right: Right
) -> None:
    before = set(azure.resources())
    log = tmp_path / "operator.log"
    apply_example(installation, azure)
    with running_operator(installation, log, leading_to(azure)):
        all_ready(installation)
    take_away(installation, right)
    with running_operator(installation, log, leading_to(azure)):
        if right == ("events", "patch"):
            for _ in range(2):
                lose_the_secret(installation)
        if right == ("reachabilityreports", "delete"):
            installation.control_plane.kubectl("delete", "bh", "hub", "-n", TENANT, "--wait=false")
        wait_until_told(installation, log, right, ONCE_ALL_IS_MADE[right])

        grant_all(installation)

        comes_right_and_ends_clean(installation)
    assert "Traceback" not in log.read_text()
    assert set(azure.resources()) == before


def take_away(installation: Installation, right: Right) -> None:
    """Shipped roles without this one right."""
    for file in ("cluster_role.yaml", "role.yaml"):
        for role in yaml.safe_load_all((BASE / file).read_text()):
            if "rules" in role:
                role["rules"] = [narrowed for rule in role["rules"] for narrowed in without(rule, right)]
                installation.control_plane.kubectl("replace", "-f", "-", input=json.dumps(role))


def without(rule: Manifest, right: Right) -> Iterator[Manifest]:
    """A rule for each resource and verb of this one, but for the right."""
    for resource in rule["resources"]:
        for verb in rule["verbs"]:
            if (resource, verb) != right:
                yield {**rule, "resources": [resource], "verbs": [verb]}


def grant_all(installation: Installation) -> None:
    installation.control_plane.kubectl("apply", "-k", str(BASE))


def wait_until_told(installation: Installation, log: Path, right: Right, where: str) -> None:
    resource, verb = right
    words = f'cannot {verb} resource "{resource}"'

    def told() -> bool:
        return (
            words in log.read_text() if where == LOG else any(words in each for each in messages(installation, where))
        )

    deadline = time.monotonic() + 60
    while not told():
        assert time.monotonic() < deadline, f"{words}: not told in {where}\n{log.read_text()[-5000:]}"
        time.sleep(0.2)


def everything(installation: Installation) -> list[Manifest]:
    listed = json.loads(installation.control_plane.kubectl("get", "azid,bh,vnp", "-A", "-o", "json"))
    return list(listed["items"])


def messages(installation: Installation, kind: str) -> Iterator[str]:
    """Of the conditions Ready of all resources of a kind."""
    for each in everything(installation):
        for condition in each.get("status", {}).get("conditions", []) if each["kind"] == kind else ():
            if condition["type"] == "Ready" and condition["status"] == "False":
                yield condition["message"]


def lose_the_secret(installation: Installation) -> None:
    for secret, ready in (("lost", False), ("azure-default", True)):
        spec = json.dumps({"spec": {"secretName": secret}})
        installation.control_plane.kubectl("patch", "azid", "default", "--type=merge", f"--patch={spec}")
        installation.control_plane.kubectl("wait", f"--for=condition=Ready={ready}", "azid/default", "--timeout=30s")


def all_ready(installation: Installation) -> None:
    installation.control_plane.kubectl(
        "wait", "--for=condition=Ready", "bh,vnp", "--all", "-n", TENANT, "--timeout=120s", timeout=130
    )


def comes_right_and_ends_clean(installation: Installation) -> None:
    """With all rights: whatever still stands is Ready, and goes when it is deleted."""
    kubectl = installation.control_plane.kubectl
    kubectl("wait", "--for=condition=Ready", "vnp", "--all", "-n", TENANT, "--timeout=120s", timeout=130)
    kubectl("delete", "bh,vnp", "--all", "-n", TENANT, "--timeout=120s", timeout=130)
    kubectl("delete", "azid", "--all", "--timeout=30s")

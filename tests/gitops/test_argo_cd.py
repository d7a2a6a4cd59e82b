"""What Argo CD shows and does: brought, under way, drifted by hand, refused by Azure, pruned, taken down."""

import json
from collections.abc import Callable

import pytest

from tests.gitops.networks import hosts, identity, peering
from tests.support.argo_cd import Application, resources
from tests.support.faults import fault, heal
from tests.support.git_repository import GitRepository
from tests.support.lab import HOST, Lab

pytestmark = pytest.mark.gitops

AUTOMATED = {"automated": {"prune": True, "selfHeal": True}}
REFUSED = {
    "error": {"status": 403, "code": "RequestDisallowedByPolicy", "message": "Disallowed by the policy 'No hosts'."}
}
Applications = Callable[..., Application]


def test_the_examples_are_brought_and_healthy_only_when_azure_has_them(
    stage: Lab, repository: GitRepository, application: Applications
) -> None:
    repository.commit("Hub and spokes", identity=identity(stage), hosts=hosts(), peering=peering())
    networks = application(syncPolicy=AUTOMATED)
    networks.apply()

    # Nobody looks at them yet. Without the health check the identity would be Healthy, and the next wave under way.
    networks.wait_for("OutOfSync", "Progressing")
    assert stage.objects("bh,vnp") == [], "they are of a later wave than the identity"
    stage.operator.start()

    found = networks.wait_for("Synced", "Healthy")
    assert {name: each["health"]["status"] for name, each in resources(found).items()} == {
        "AzureIdentity/default": "Healthy",
        "BastionHost/hub": "Healthy",
        "BastionHost/hub-desktops": "Healthy",
        "VNetPeering/hub": "Healthy",
    }
    assert HOST.lower() in stage.azure.resources()


def test_what_a_hand_changes_in_the_cluster_is_shown_and_with_self_heal_put_back(
    lab: Lab, repository: GitRepository, application: Applications
) -> None:
    repository.commit("Hub", identity=identity(lab), hosts=hosts())
    networks = application(syncPolicy={"automated": {}})
    networks.apply()
    networks.wait_for("Synced", "Healthy")

    by_hand = {"spec": {"tags": {"cost-center": "somebody"}}}
    lab.kubectl("patch", "bh", "hub", "-n", lab.namespace, "--type=merge", f"--patch={json.dumps(by_hand)}")

    found = networks.wait_for("OutOfSync", "Healthy")
    assert [name for name, each in resources(found).items() if each["status"] == "OutOfSync"] == ["BastionHost/hub"]
    lab.wait_for(lambda: _cost_center(lab) == "somebody", "Azure has what stands in the cluster")

    networks.apply(syncPolicy=AUTOMATED)

    networks.wait_for("Synced", "Healthy")
    lab.wait_for(lambda: _cost_center(lab) == "platform", "Azure has what stands in git")


def test_what_azure_refuses_is_degraded_with_azures_reason_until_it_no_longer_does(
    lab: Lab, repository: GitRepository, application: Applications
) -> None:
    fault(lab, REFUSED, method="PUT", url="/bastionHosts/")
    repository.commit("Hub and spokes", identity=identity(lab), hosts=hosts(), peering=peering())
    networks = application(syncPolicy=AUTOMATED)
    networks.apply()

    refused = networks.wait(
        lambda found: resources(found).get("BastionHost/hub", {}).get("health", {}).get("status") == "Degraded",
        "what Azure refused is Degraded",
    )
    message = resources(refused)["BastionHost/hub"]["health"]["message"]
    assert message.startswith("RequestDisallowedByPolicy: ")
    assert "Disallowed by the policy 'No hosts'." in message
    described = lab.kubectl("describe", "bh", "hub", "-n", lab.namespace)
    assert all(
        each in described for each in ("Disallowed by the policy 'No hosts'.", "exempt the scope from the policy")
    )
    # What it does not concern goes on, and the whole is as healthy as its worst part.
    found = networks.wait_for("Synced", "Degraded")
    networks.wait(lambda found: resources(found)["VNetPeering/hub"]["health"]["status"] == "Healthy", "links are made")
    assert found["status"]["operationState"]["phase"] == "Succeeded"

    heal(lab)
    lab.annotate("bh", "hub", "mended")

    networks.wait_for("Synced", "Healthy")


def test_what_leaves_git_leaves_azure_and_the_reports_of_what_stays_stay(
    lab: Lab, repository: GitRepository, application: Applications
) -> None:
    before = set(lab.azure.resources())
    labelled = hosts()
    for each in labelled:
        # By the second of them Argo CD knew what it had brought, before version 3, and does where it is set to.
        each["metadata"]["labels"] = {"team": "platform", "app.kubernetes.io/instance": "networks"}
    repository.commit("Hub and spokes", identity=identity(lab), hosts=labelled, peering=peering())
    networks = application(syncPolicy=AUTOMATED)
    networks.apply()
    networks.wait_for("Synced", "Healthy")
    lab.wait_still()
    assert any("/virtualnetworkpeerings/" in each for each in set(lab.azure.resources()) - before)
    reports = {each["metadata"]["name"]: each["metadata"] for each in lab.objects("rr")}
    assert len(reports) > 1

    repository.commit("No spokes", peering=None)
    networks.refresh()

    lab.wait_for(lambda: not lab.objects("vnp"), "the peering is pruned")
    networks.wait_for("Synced", "Healthy")
    made = set(lab.azure.resources()) - before
    assert HOST.lower() in made
    assert [each for each in made if "/virtualnetworkpeerings/" in each] == []
    lab.wait_still()
    kept = {each["metadata"]["name"]: each["metadata"] for each in lab.objects("rr")}
    assert kept
    assert {name: kept[name]["uid"] for name in kept} == {name: reports[name]["uid"] for name in kept}
    copied = {"team", "app.kubernetes.io/instance"}
    assert [each for each in kept.values() if copied & each.get("labels", {}).keys()] == []


@pytest.mark.parametrize(
    ("options", "comparison"),
    [([], {}), (["ServerSideApply=true"], {}), (["ServerSideApply=true"], {"ServerSideDiff": "true"})],
    ids=["by-default", "server-side-apply", "server-side-diff"],
)
def test_nothing_that_the_operator_or_the_api_server_writes_is_out_of_sync(
    lab: Lab, repository: GitRepository, application: Applications, options: list[str], comparison: dict[str, str]
) -> None:
    repository.commit("Hub and spokes", identity=identity(lab), hosts=hosts(), peering=peering())
    networks = application(syncPolicy=AUTOMATED | {"syncOptions": options})
    compared = ",".join(f"{name}={value}" for name, value in comparison.items())
    networks.manifest["metadata"]["annotations"] = {"argocd.argoproj.io/compare-options": compared} if compared else {}
    networks.apply()
    networks.wait_for("Synced", "Healthy")
    lab.wait_still()
    synced = networks.wait_for("Synced", "Healthy")["status"]["history"]

    networks.compare("hard")

    found = networks.wait_for("Synced", "Healthy")
    assert {each["status"] for each in resources(found).values()} == {"Synced"}
    assert found["status"]["history"] == synced, "there was nothing to heal"
    assert [each for each in found["status"].get("conditions", []) if "Error" in each["type"]] == []


def test_an_application_that_is_deleted_takes_everything_along_and_ends(
    lab: Lab, repository: GitRepository, application: Applications
) -> None:
    before = set(lab.azure.resources())
    repository.commit("Hub and spokes", identity=identity(lab), hosts=hosts(), peering=peering())
    networks = application(syncPolicy=AUTOMATED)
    networks.apply()
    networks.wait_for("Synced", "Healthy")
    assert set(lab.azure.resources()) > before

    networks.delete()

    assert networks.get() is None
    assert lab.objects("bh,vnp,rr") == []
    assert lab.kubectl("get", "azureidentities", "-o", "name") == ""
    assert set(lab.azure.resources()) == before


def test_a_suspended_resource_is_shown_as_suspended(
    lab: Lab, repository: GitRepository, application: Applications
) -> None:
    repository.commit("Hub", identity=identity(lab), hosts=hosts())
    networks = application(syncPolicy=AUTOMATED)
    networks.apply()
    networks.wait_for("Synced", "Healthy")

    repository.commit("Hands off", hosts=hosts(suspend=True))
    networks.refresh()

    networks.wait_for("Synced", "Suspended")
    repository.commit("Hands on", hosts=hosts())
    networks.refresh()
    networks.wait_for("Synced", "Healthy")


def _cost_center(lab: Lab) -> str | None:
    tags = lab.azure.resources().get(HOST.lower(), {}).get("tags", {})
    return str(tags["cost-center"]) if "cost-center" in tags else None

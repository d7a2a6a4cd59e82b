"""Every deletion comes to an end: whatever is missing is named with the way out, and what was away goes on where it was.

`deletionPolicy` and `suspend`: test_who_may_and_who_owns.py. Each error of Azure in the way of a deletion: tests/faults.
"""

from collections.abc import Callable

from dev.control_plane import ControlPlane
from tests.faults.kill_run import world
from tests.support.lab import HOST, OPERATOR_NAMESPACE, ROOT, Lab, example

HUB_BASTION, _DESKTOPS = example("bastion-host.yaml")
(PEERING,) = example("vnet-peering.yaml")
READER = {"actions": ["*/read", "Microsoft.ResourceGraph/resources/*"]}


def links(lab: Lab) -> list[str]:
    return [each for each in lab.azure.resources() if "/virtualnetworkpeerings/" in each]


def test_lost_rights_and_a_lost_identity_hold_a_deletion_and_name_the_way_out(lab_factory: Callable[..., Lab]) -> None:
    principals = [
        {"name": "operator", "assignments": [{"actions": ["*"]}]},
        {"name": "reader", "assignments": [READER]},
    ]
    lab = lab_factory(principals=principals)
    lab.operator.start()
    lab.apply(PEERING, HUB_BASTION)
    lab.wait_ready("vnp/hub", "bh/hub")

    # 403: the identity may only read now.
    reader, writer = lab.azure.clients["reader"], lab.azure.clients["operator"]
    lab.apply_identity(clientID=reader.client_id, client_secret=reader.client_secret)
    lab.wait_for(lambda: identity_ready(lab), "the other principal is in use")
    lab.begin_delete("vnp,bh", "hub")
    for kind, action in (("vnp", "virtualNetworkPeerings/delete"), ("bh", "bastionHosts/delete")):
        ready = lab.wait_condition(kind, "hub", "Ready", "False", "DeletionBlocked")
        assert f"Microsoft.Network/{'virtualNetworks/' if kind == 'vnp' else ''}{action}" in ready["message"]
        assert "deletionPolicy: Retain lets the resource go" in ready["message"]
        assert lab.condition(kind, "hub", "Stalled") is not None
    assert len(links(lab)) == 6

    # The right is back, and somebody asks for another try.
    lab.apply_identity(clientID=writer.client_id)
    lab.wait_for(lambda: identity_ready(lab), "the first principal is in use again")
    lab.annotate("vnp", "hub", "the right is back")
    lab.wait_for(lambda: not lab.objects("vnp"), "the peerings are gone")
    assert not links(lab)

    # The identity was taken away by force, with its finalizer.
    lab.api.remove(lab.identity)
    lab.annotate("bh", "hub", "without an identity")
    lab.wait_for(
        lambda: f"there is no AzureIdentity {lab.namespace}" in str(lab.condition("bh", "hub", "Ready")), "it is told"
    )
    before = lab.azure.resources()
    assert HOST.lower() in before
    lab.patch("bh", "hub", managementPolicy="Observe")
    lab.wait_for(lambda: not lab.objects("bh,rr"), "it is let go, and its reports with it")
    assert lab.azure.resources() == before


def identity_ready(lab: Lab) -> bool:
    """Whether the operator has looked at the identity as it is now and may use it."""
    found = lab.api.get(lab.identity)
    conditions = found.get("status", {}).get("conditions", [])
    current = [each for each in conditions if each.get("observedGeneration") == found["metadata"]["generation"]]
    return any((each["type"], each["status"]) == ("Ready", "True") for each in current)


def test_an_operator_that_was_uninstalled_first_ends_the_deletion_of_a_namespace_once_it_is_installed_again(
    lab: Lab, control_plane: ControlPlane
) -> None:
    before = world(lab).azure
    lab.apply(PEERING, HUB_BASTION)
    lab.wait_ready("vnp/hub", "bh/hub")
    lab.wait_for(lambda: lab.objects("rr"), "there are reports")
    lab.operator.kill()
    uninstalled = ("serviceaccount/bastion-operator", "deployment/bastion-operator")
    try:
        lab.kubectl("delete", "-n", OPERATOR_NAMESPACE, *uninstalled)
        lab.kubectl("delete", "clusterrole,clusterrolebinding", "bastion-operator")
        # What a namespace's deletion does: everything in it is deleted, and nothing may be made there any more.
        lab.kubectl("delete", "namespace", lab.namespace, "--wait=false")
        lab.begin_delete("vnp,bh")
    finally:
        lab.kubectl("apply", "--server-side", "-k", str(ROOT / "deploy" / "base"))
        control_plane.kubeconfig_for("bastion-operator", namespace=OPERATOR_NAMESPACE)
    assert {each["metadata"]["finalizers"][0] for each in lab.objects("vnp,bh")} == {"azurebastion.dev/cleanup"}

    lab.operator.start()
    lab.wait_for(lambda: not lab.objects("vnp,bh,rr"), "all is let go, in a namespace where nothing can be made")
    assert world(lab).azure == before
    lab.wait_for(lambda: "is being terminated" in lab.operator.log.read_text(), "Events were refused")
    assert "Traceback" not in lab.operator.log.read_text(), "and that stopped nothing"

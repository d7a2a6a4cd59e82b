"""Who may do what."""

from arm_emulator.principals import Assignment, Principal
from tests.support.arm import NET, OTHER_SUB, RG, SUB, Arm, link_body, network_body, subnet_body


def principal(name: str, *assignments: Assignment) -> Principal:
    return Principal(name, f"client-{name}", "x", f"object-{name}", assignments)


def test_a_reader_reads_and_is_refused_writes_with_action_and_scope() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    assert arm.get(network, by="reader").status == 200
    answer = arm.delete(network, by="reader")
    assert (answer.status, answer.code) == (403, "AuthorizationFailed")
    assert "'Microsoft.Network/virtualNetworks/delete'" in answer.message
    assert f"'{network}'" in answer.message
    assert arm.principals["reader"].object_id in answer.message


def test_the_operator_writes_networks_but_not_groups_or_machines() -> None:
    arm = Arm()
    assert arm.put(f"{NET}/virtualNetworks/v", network_body("10.0.0.0/16"), by="operator").status == 201
    assert arm.put(f"{RG}2", {"location": "westeurope"}, by="operator").code == "AuthorizationFailed"
    assert arm.get(RG, by="operator").status == 200
    vm = f"{RG}/providers/Microsoft.Compute/virtualMachines/vm"
    assert arm.call("POST", f"{vm}/start", by="operator").code == "AuthorizationFailed"


def test_not_actions_take_away_and_scopes_bound() -> None:
    arm = Arm()
    arm.network("v", "10.0.0.0/16")
    grant = Assignment(RG, ("Microsoft.Network/*",), ("Microsoft.Network/*/delete",))
    arm.add(principal("p", grant))
    assert arm.get(f"{NET}/virtualNetworks/v", by="p").status == 200
    assert arm.delete(f"{NET}/virtualNetworks/v", by="p").code == "AuthorizationFailed"
    other = f"/subscriptions/{OTHER_SUB}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v"
    assert arm.get(other, by="p").code == "AuthorizationFailed"
    assert arm.get(f"{RG}x/providers/Microsoft.Network/virtualNetworks/v", by="p").code == "AuthorizationFailed"


def test_peering_needs_peer_action_on_the_remote_network() -> None:
    arm = Arm()
    hub = arm.network("hub", "10.0.0.0/16")
    path = f"/subscriptions/{OTHER_SUB}/resourceGroups/rg/providers/Microsoft.Network"
    spoke = arm.network("spoke", "10.1.0.0/16", path=path)
    arm.add(principal("p", Assignment(f"/subscriptions/{SUB}", ("*",)), Assignment("/", ("*/read",))))
    answer = arm.put(f"{hub}/virtualNetworkPeerings/l", link_body(spoke), by="p")
    assert (answer.status, answer.code) == (403, "LinkedAuthorizationFailed")
    assert "'Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write'" in answer.message
    assert "'Microsoft.Network/virtualNetworks/peer/action'" in answer.message
    assert spoke in answer.message
    assert arm.get(f"{hub}/virtualNetworkPeerings/l").status == 404


def test_joining_a_security_group_needs_join_action() -> None:
    arm = Arm()
    network, group = arm.network("v", "10.0.0.0/16"), f"{NET}/networkSecurityGroups/n"
    arm.made(group, {"location": "westeurope"})
    arm.add(principal("p", Assignment("/", ("*",), ("Microsoft.Network/networkSecurityGroups/join/action",))))
    body = subnet_body("10.0.0.0/24", networkSecurityGroup={"id": group})
    answer = arm.put(f"{network}/subnets/s", body, by="p")
    assert answer.code == "LinkedAuthorizationFailed"
    assert "networkSecurityGroups/join/action" in answer.message
    arm.made(f"{network}/subnets/s", body)
    assert arm.put(f"{network}/subnets/s", body, by="p").status == 200, "what is joined already is not asked for again"


def test_lists_and_subscriptions_show_only_what_may_be_read() -> None:
    arm = Arm()
    arm.network("v", "10.0.0.0/16")
    arm.add(principal("p", Assignment(f"/subscriptions/{OTHER_SUB}", ("*/read",))))
    listed = arm.get("/subscriptions", by="p", version="2022-12-01").body["value"]
    assert [one["subscriptionId"] for one in listed] == [OTHER_SUB]
    assert arm.get(f"/subscriptions/{SUB}/providers/Microsoft.Network/virtualNetworks", by="p").status == 403

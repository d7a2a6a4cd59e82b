"""Requests to network managers and Network Watcher that nobody would send: an ARM error body each time, the state as it was."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arm_emulator.shapes.check import shapes
from tests.support.arm import NET, SUB, Arm
from tests.support.network_managers import (
    COLLECTION,
    CONNECTIVITY,
    GROUP,
    MACHINE,
    MANAGER,
    NIC,
    SECURITY,
    commit,
    managed,
    secured,
    with_machine,
)
from tests.unit.arm_emulator.test_random_requests import JSON, dump, shaped

WATCHER = f"/subscriptions/{SUB}/resourceGroups/NetworkWatcherRG/providers/Microsoft.Network/networkWatchers/NetworkWatcher_westeurope"  # fmt: skip
PATHS = (MANAGER, GROUP, f"{GROUP}/staticMembers/a", f"{GROUP}/staticMembers/x", SECURITY, COLLECTION, f"{COLLECTION}/rules/x", CONNECTIVITY, WATCHER)  # fmt: skip
GOOD: dict[str, Any] = {
    MANAGER: {"networkManagerScopes": {"subscriptions": [f"/subscriptions/{SUB}"]}},
    f"{COLLECTION}/rules/x": {"access": "Deny", "direction": "Inbound", "protocol": "Tcp", "priority": 3},
    COLLECTION: {"appliesToGroups": [{"networkGroupId": GROUP}]},
    CONNECTIVITY: {"connectivityTopology": "Mesh", "appliesToGroups": [{"networkGroupId": GROUP}]},
    f"{GROUP}/staticMembers/a": {"resourceId": f"{NET}/virtualNetworks/a"},
}
WORDS = st.sampled_from(["Inbound", "Outbound", "TCP", "Tcp", "*", "10.1.0.4", "10.0.1.0/26", "VirtualNetwork", "Internet", "22", "50000", "westeurope", "SecurityAdmin", "Connectivity", SECURITY, CONNECTIVITY, NIC, MACHINE])  # fmt: skip
MEMBERS = ("direction", "protocol", "localPort", "remotePort", "localIPAddress", "remoteIPAddress", "sourceIPAddress",
           "destinationIPAddress", "targetResourceId", "targetNicResourceId", "profiles", "verbosityLevel", "targetLocations",
           "configurationIds", "commitType", "regions", "deploymentTypes")  # fmt: skip
PROFILE = st.dictionaries(st.sampled_from(["direction", "protocol", "source", "destination", "destinationPort"]), WORDS | JSON)  # fmt: skip
ACTIONS = (
    f"{MANAGER}/commit", f"{MANAGER}/listDeploymentStatus", f"{MANAGER}/listActiveSecurityAdminRules", f"{WATCHER}/ipFlowVerify",
    f"{WATCHER}/nextHop", f"{WATCHER}/networkConfigurationDiagnostic", f"{WATCHER}/securityGroupView",
    f"{NIC}/effectiveRouteTable", f"{NIC}/effectiveNetworkSecurityGroups",
)  # fmt: skip


def governed() -> Arm:
    arm = managed("a")
    with_machine(arm, "a")
    secured(arm)
    commit(arm, SECURITY)
    arm.get(WATCHER)
    return arm


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_random_bodies_never_break_anything(data: st.DataObject) -> None:
    arm = governed()
    path = data.draw(st.sampled_from(PATHS))
    kind = "Microsoft.Network/" + "/".join(path.rpartition("/providers/")[2].split("/")[1::2])
    body = data.draw(st.one_of(shaped(shapes()[kind]), JSON))
    if isinstance(body, dict) and data.draw(st.booleans()):
        properties = body.get("properties")
        body = body | {"properties": GOOD.get(path, {}) | (properties if isinstance(properties, dict) else {})}
        body |= {"location": "westeurope"} if path in (MANAGER, WATCHER) else {}
    before = dump(arm)
    answer = arm.put(path, body)
    if answer.status >= 400:
        assert answer.status < 500
        assert answer.code
        assert dump(arm) == before
    commit(arm, SECURITY)
    assert arm.call("POST", f"{NIC}/effectiveNetworkSecurityGroups").status == 202
    assert arm.query("networkresources | count").status == 200


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    path=st.sampled_from(ACTIONS),
    body=st.dictionaries(st.sampled_from(MEMBERS), WORDS | JSON | st.lists(WORDS | PROFILE, max_size=2), max_size=8),
    about=st.booleans(),
)
def test_random_questions_are_answered(path: str, body: dict[str, Any], about: bool) -> None:
    arm = governed()
    answer = arm.call("POST", path, body | ({"targetResourceId": MACHINE} if about else {}))
    assert answer.status < 500
    if answer.status == 202:
        arm.wait()
        assert arm.get(answer.headers["location"]).status == 200

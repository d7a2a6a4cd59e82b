"""An Azure with a network manager: its parts, commits, and what is then in effect."""

from typing import Any

from tests.support.arm import NET, RG, SUB, Arm, subnet_body

Json = dict[str, Any]
MANAGER = f"{NET}/networkManagers/avnm"
GROUP = f"{MANAGER}/networkGroups/spokes"
SECURITY = f"{MANAGER}/securityAdminConfigurations/baseline"
COLLECTION = f"{SECURITY}/ruleCollections/all"
RULE = f"{COLLECTION}/rules/no-ssh"
CONNECTIVITY = f"{MANAGER}/connectivityConfigurations/net"
MACHINE = f"{RG}/providers/Microsoft.Compute/virtualMachines/vm"
NIC = f"{NET}/networkInterfaces/nic"
RULES, CONFIGURATIONS = (
    "listNetworkManagerEffectiveSecurityAdminRules",
    "listNetworkManagerEffectiveConnectivityConfigurations",
)


def rule_body(access: str = "Deny", priority: int = 10, **fields: Any) -> Json:
    held = {
        "access": access,
        "priority": priority,
        "direction": "Inbound",
        "protocol": "Tcp",
        "destinationPortRanges": ["22"],
    }
    return {"kind": "Custom", "properties": held | fields}


def group_item(**fields: str) -> Json:
    return {"networkGroupId": GROUP, **fields}


def managed(*spokes: str, subscriptions: tuple[str, ...] = (SUB,)) -> Arm:
    """A network manager with group `spokes`, a hub 10.0.0.0/16, and the spokes 10.1.0.0/16 and so on in the group."""
    arm = Arm()
    arm.network("hub", "10.0.0.0/16")
    scopes = {"subscriptions": [f"/subscriptions/{one}" for one in subscriptions]}
    body = {"location": "westeurope", "properties": {"networkManagerScopes": scopes}}
    assert arm.put(MANAGER, body).status == 201
    assert arm.put(GROUP, {"properties": {}}).status == 201
    for place, name in enumerate(spokes, start=1):
        join(arm, arm.network(name, f"10.{place}.0.0/16"))
    return arm


def join(arm: Arm, network: str) -> str:
    member = f"{GROUP}/staticMembers/{network.rpartition('/')[2]}"
    assert arm.put(member, {"properties": {"resourceId": network}}).status == 201
    return member


def secured(arm: Arm, *rules: tuple[str, Json], intent: list[str] | None = None) -> None:
    properties = {} if intent is None else {"applyOnNetworkIntentPolicyBasedServices": intent}
    assert arm.put(SECURITY, {"properties": properties}).status == 201
    assert arm.put(COLLECTION, {"properties": {"appliesToGroups": [group_item()]}}).status == 201
    for name, body in rules or (("no-ssh", rule_body()),):
        assert arm.put(f"{COLLECTION}/rules/{name}", body).status == 201


def commit(arm: Arm, *configurations: str, kind: str = "SecurityAdmin", regions: tuple[str, ...] = ("westeurope",)) -> Json:  # fmt: skip
    body = {"targetLocations": list(regions), "configurationIds": list(configurations), "commitType": kind}
    first = arm.call("POST", f"{MANAGER}/commit", body)
    assert (first.status, first.raw) == (202, b"null"), first.body
    arm.wait()
    done: Json = arm.get(first.headers["location"]).body
    return done


def listed(arm: Arm, path: str, body: object = None) -> list[Json]:
    answer = arm.call("POST", path, body or {})
    assert answer.status == 200, answer.body
    found: list[Json] = answer.body["value"]
    return found


def effective(arm: Arm, network: str, what: str = RULES) -> list[str]:
    return [one["id"].rpartition("/")[2] for one in listed(arm, f"{NET}/virtualNetworks/{network}/{what}")]


def links(arm: Arm, network: str) -> dict[str, Json]:
    found = arm.get(f"{NET}/virtualNetworks/{network}/virtualNetworkPeerings").body["value"]
    return {one["name"]: one["properties"] for one in found}


def with_machine(arm: Arm, network: str) -> None:
    subnet = f"{NET}/virtualNetworks/{network}/subnets/s"
    arm.made(subnet, subnet_body("10.1.0.0/24"))
    part = {"name": "c", "properties": {"subnet": {"id": subnet}}}
    arm.made(NIC, {"location": "westeurope", "properties": {"ipConfigurations": [part]}})
    profile = {"networkInterfaces": [{"id": NIC}]}
    arm.made(MACHINE, {"location": "westeurope", "properties": {"networkProfile": profile}})


def answer_of(arm: Arm, path: str, body: object = None) -> Json:
    first = arm.call("POST", path, body)
    assert first.status == 202, first.body
    arm.wait()
    found: Json = arm.get(first.headers["location"]).body
    return found


def connectivity(arm: Arm, topology: str, **fields: Any) -> None:
    hub = {"resourceId": f"{NET}/virtualNetworks/hub", "resourceType": "Microsoft.Network/virtualNetworks"}
    hubs = [hub] if topology == "HubAndSpoke" else []
    item = group_item(**fields.pop("item", {}))
    properties = {"connectivityTopology": topology, "hubs": hubs, "appliesToGroups": [item], **fields}
    answer = arm.put(CONNECTIVITY, {"properties": properties})
    assert answer.status in (200, 201), answer.body
    commit(arm, CONNECTIVITY, kind="Connectivity")

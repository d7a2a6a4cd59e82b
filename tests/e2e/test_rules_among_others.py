"""Rules among those of others: each group in which one is needed and no other, just-in-time access, two rules that change places."""

import asyncio
import copy
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tests.support.estates import (
    SUBSCRIPTION,
    nic,
    nsg,
    nsg_id,
    rule,
    subnet,
    vm,
    vnet,
    vnet_id,
)
from tests.support.lab import Lab, Manifest

CLOSED = rule("closed", 4096, "Deny")
JIT = rule("MicrosoftDefenderForCloud-JITRule_1", 1000, "Deny", ports="22")
# Between these SSH has one place, 100, and RDP that one and 102.
NO_SSH, NO_RDP = rule("no-ssh", 101, "Deny", ports="22"), rule("no-rdp", 103, "Deny", ports="3389")
SUBNETS = {"twice": "outer", "guarded": "jit", "crowded": "crowded", "open": "open", "bare": None}


def estate() -> list[Manifest]:
    """A network with a subnet for each case, and one for a Developer host."""
    parts = [subnet(name, f"10.0.{place}.0/24", nsg=group) for place, (name, group) in enumerate(SUBNETS.items(), 1)]
    return [
        {
            "id": f"/subscriptions/{SUBSCRIPTION}",
            "name": "one",
            "type": "microsoft.resources/subscriptions",
        },
        vnet("hub", "10.0.0.0/16", subnets=parts),
        vnet("lonely", "10.9.0.0/16", subnets=[subnet("work", "10.9.1.0/24", nsg="far")]),
        *(nsg(name, CLOSED) for name in ("outer", "inner", "far")),
        nsg("jit", JIT),
        nsg("crowded", NO_SSH, NO_RDP),
        nsg("open"),
        nic("twice-nic", "hub", "twice", "10.0.1.4", nsg="inner"),
        nic("guarded-nic", "hub", "guarded", "10.0.2.4"),
        nic("ssh-nic", "hub", "crowded", "10.0.3.4"),
        nic("rdp-nic", "hub", "crowded", "10.0.3.5"),
        nic("open-nic", "hub", "open", "10.0.4.4"),
        nic("bare-nic", "hub", "bare", "10.0.5.4"),
        nic("far-nic", "lonely", "work", "10.9.1.4"),
        *(vm(name, os="Windows" if name == "rdp" else "Linux") for name in MACHINES),
    ]


MACHINES = ("twice", "guarded", "ssh", "rdp", "open", "bare", "far")


def host(
    name: str, network: str = "hub", *, sku: str = "Standard", azure_name: str = "", **security: object
) -> Manifest:
    """A BastionHost that looks once an hour, so that what is done in between is done because it was asked for."""
    spec: Manifest = {"virtualNetworkID": vnet_id(network), "sku": sku, "interval": "1h", "networkSecurity": security}
    spec |= {"subnetPrefix": "10.0.0.0/26"} if sku != "Developer" else {}
    spec |= {"azureName": azure_name} if azure_name else {}
    meta = {"name": name}
    return {"apiVersion": "azurebastion.dev/v1beta1", "kind": "BastionHost", "metadata": meta, "spec": spec}


def rules_of(lab: Lab, group: str) -> dict[str, Manifest]:
    """The properties of a group's rules, those of the operator by their purpose."""
    rules = lab.azure.resources()[nsg_id(group).lower()]["properties"]["securityRules"]
    return {re.sub(r"^azurebastion-\w+-", "", each["name"]): each["properties"] for each in rules}


def sent(lab: Lab, start: int = 0) -> list[tuple[str, str]]:
    """The writes from a point on: what they did, and to what of which group or network."""
    found = []
    for method, path, status in lab.writes()[start:]:
        assert status < 300, (method, path, status)
        parts = path.split("/")
        found.append((method, "/".join([parts[8], re.sub(r"^azurebastion-\w+-", "", parts[-1])])))
    return found


def put(lab: Lab, row: Manifest) -> None:
    """What somebody does by hand."""

    async def act() -> None:
        async with lab.azure.control() as control:
            await control.put_resource(row)

    asyncio.run(act())


def rules_state(lab: Lab, name: str = "hub") -> str:
    found = lab.condition("bh", name, "SecurityRulesInSync")
    return "" if found is None else f"{found['reason']}: {found['message']}"


def test_rules_stand_where_one_is_needed_and_nowhere_else_and_change_places_one_by_one(
    lab_factory: Callable[..., Lab],
) -> None:
    lab = lab_factory(estate(), identity=False)
    lab.apply_identity(allowedSubscriptions=[SUBSCRIPTION])
    before = lab.azure.resources()
    lab.operator.start()
    lab.apply(host("hub", targets="Audit", subnet="Off"))
    lab.wait_ready("bh/hub")
    lab.wait_for(lambda: JIT["name"] in rules_state(lab), "an audit tells what stands in the way")
    start = len(lab.writes())
    first = [("PUT", "hub/azurebastionsubnet"), ("PUT", "hub-ip/hub-ip"), ("PUT", "hub/hub")]
    assert sorted(sent(lab)) == sorted(first)

    # The API server tells ages in whole seconds, and of two of one second the UID decides.
    made = datetime.fromisoformat(lab.get("bh", "hub")["metadata"]["creationTimestamp"])
    lab.wait_for(lambda: datetime.now(UTC) >= made + timedelta(seconds=1), "the others are a second younger")
    # Rules in front of it are asked for; and a group on the subnet.
    asked: Manifest = {"targets": "Enforce", "overrideDenies": True}
    lab.apply(
        host("hub", subnet="Enforce", ports={"ssh": [2222]}, **asked),
        host("lonely", "lonely", sku="Developer", subnet="Off", **asked),
        host("second", azure_name="hub", subnet="Off", **asked),
    )
    own = [("PUT", f"{group}/tcp-22") for group in ("crowded", "far", "inner", "outer")] + [("PUT", "crowded/tcp-3389")]
    around = [("PUT", "hub-nsg/hub-nsg"), ("PUT", "lonely/lonely")]
    again = ("PUT", "hub/azurebastionsubnet")
    lab.wait_for(lambda: sorted(sent(lab, start)) == sorted([*own, *around, again]), "the rules are written, each once")
    steps = [path for _, path in sent(lab, start)]
    assert steps.index("hub-nsg/hub-nsg") < steps.index("hub/azurebastionsubnet"), "a group is put on once it is there"
    lab.wait_for(lambda: rules_state(lab).startswith("JustInTimeAccess"), "it is told what is not gone around")
    lab.wait_condition("bh", "second", "Accepted", "False", "Conflict")
    lab.wait_condition("bh", "lonely", "SecurityRulesInSync", "True")
    assert placed(lab) == PLACES
    why = next(held["description"] for held in rules_of(lab, "outer").values() if held["access"] == "Allow")
    assert f"sessions from Bastion hub. By {lab.namespace}/hub of " in why

    # Somebody exchanges the places of two rules. Each holds the other's: one goes out of the way, and all of it at once.
    start = len(lab.writes())
    exchange(lab, "crowded", 100, 102)
    assert placed(lab) != PLACES
    lab.annotate("bh", "hub", "now")
    lab.wait_for(lambda: len(sent(lab, start)) > 2, "they change places")
    lab.wait_for(lambda: rules_state(lab).startswith("JustInTimeAccess"), "and nothing else is left to do")
    assert sent(lab, start) == [("PUT", "crowded/tcp-3389"), ("PUT", "crowded/tcp-22"), ("PUT", "crowded/tcp-3389")]
    assert placed(lab) == PLACES

    # What goes are the rules, wherever they were written, and what was made for the hosts.
    start = len(lab.writes())
    lab.delete("bh")
    assert sorted(sent(lab, start)) == sorted(("DELETE", path) for _, path in [*first, *own, *around])
    after = lab.azure.resources()
    assert after.keys() == before.keys()
    assert {key: foreign(after[key]) for key in after} == {key: foreign(before[key]) for key in before}


PREFIX = "10.0.0.0/26"
# Where all is closed, one rule is for both ports of SSH; where the second is open, for the first alone.
PLACES = {
    ("outer", "tcp-22"): (PREFIX, "10.0.1.4", ["22", "2222"], 4000),
    ("inner", "tcp-22"): (PREFIX, "10.0.1.4", ["22", "2222"], 4000),
    ("crowded", "tcp-22"): (PREFIX, "10.0.3.4", ["22"], 100),
    ("crowded", "tcp-3389"): (PREFIX, "10.0.3.5", ["3389"], 102),
    ("far", "tcp-22"): ("168.63.129.16", "10.9.1.4", ["22"], 4000),
}


def placed(lab: Lab) -> dict[tuple[str, str], tuple[str, str, list[str], int]]:
    """The operator's rules in the groups of VMs: from where, to what, for which ports, at which place."""
    return {
        (group, name): (
            held["sourceAddressPrefix"],
            held["destinationAddressPrefix"],
            held.get("destinationPortRanges") or [held["destinationPortRange"]],
            held["priority"],
        )
        for group in ("outer", "inner", "jit", "crowded", "open", "far")
        for name, held in rules_of(lab, group).items()
        if name.startswith("tcp-")
    }


def exchange(lab: Lab, group: str, one: int, other: int) -> None:
    """Somebody gives the rules at two places each other's."""
    row = copy.deepcopy(lab.azure.resources()[nsg_id(group).lower()])
    for each in row["properties"]["securityRules"]:
        held = each["properties"]
        held["priority"] = {one: other, other: one}.get(held["priority"], held["priority"])
    put(lab, row)


def foreign(row: Manifest) -> object:
    """What a group's rules are, and what subnet, NIC and VM hold on to."""
    held = row["properties"]
    rules = [(each["name"], each["properties"]["priority"]) for each in held.get("securityRules", [])]
    subnets = [(each["id"].lower(), each.get("properties") or {}) for each in held.get("subnets", [])]
    inside = [(name, held.get("networkSecurityGroup")) for name, held in subnets]
    return rules, inside, held.get("networkSecurityGroup"), held.get("priority")

"""Links as they were found: flags, subnets and gateways of others stay, also through a repair, and what is dead goes."""

import asyncio
import copy
from collections.abc import Callable, Mapping
from typing import Any

from tests.e2e.test_told_beforehand import asking, network, rows
from tests.e2e.test_trouble_around import samples
from tests.support.estates import gateway, peering, subnet, vnet
from tests.support.lab import APPS_SUBSCRIPTION, HUB, HUB_SUBSCRIPTION, Lab, Manifest

# Two subnets are joined, and traffic that others forward is let through: settings that no spec here names.
BY_SUBNETS: dict[str, Any] = {
    "name": "theirs",
    "peerCompleteVnets": False,
    "localSubnetNames": ["work"],
    "remoteSubnetNames": ["work"],
    "allowForwardedTraffic": True,
}
# The hub's half lends its gateway as well, and lacks the one flag that the spec does name.
TO_PARTS = BY_SUBNETS | {"allowGatewayTransit": True, "allowForwardedTraffic": False}
SETTINGS = (*(each for each in BY_SUBNETS if each != "name"), "allowGatewayTransit", "useRemoteGateways")


def estate() -> list[Manifest]:
    """A hub with a gateway; a spoke that others joined by single subnets, and three that nobody joined yet."""
    subscriptions = [
        {"id": f"/subscriptions/{each}", "name": each, "type": "microsoft.resources/subscriptions"}
        for each in (HUB_SUBSCRIPTION, APPS_SUBSCRIPTION)
    ]
    work = [subnet("work", "10.0.1.0/24"), subnet("GatewaySubnet", "10.0.255.0/27")]
    parts = network("parts")
    return [
        *subscriptions,
        vnet(HUB, "10.0.0.0/16", subnets=work, peerings=[peering(parts, space=["10.2.0.0/16"], **TO_PARTS)]),
        gateway("on-premises", HUB),
        vnet(network("sound"), "10.1.0.0/16"),
        vnet(
            parts,
            "10.2.0.0/16",
            subnets=[subnet("work", "10.2.1.0/24")],
            peerings=[peering(HUB, space=["10.0.0.0/16"], **BY_SUBNETS)],
        ),
        vnet(network("branch"), "10.3.0.0/16"),
        vnet(network("gone"), "10.4.0.0/16"),
    ]


def change(lab: Lab, *, put: Mapping[str, Any] | None = None, delete: str = "") -> None:
    """What somebody else does in Azure."""

    async def act() -> None:
        async with lab.azure.control() as control:
            if put is not None:
                await control.put_resource(dict(put))
            if delete:
                await control.delete_resource(delete)

    asyncio.run(act())


def links(lab: Lab) -> dict[tuple[str, str], Manifest]:
    """Every half by the names of its network and of the one that it leads to."""
    found = {}
    for key, body in lab.azure.resources().items():
        if "/virtualnetworkpeerings/" in key:
            remote = body["properties"]["remoteVirtualNetwork"]["id"].rsplit("/", 1)[-1]
            found[key.split("/")[8], remote.lower()] = body
    return found


def settings(lab: Lab, *ends: str) -> dict[str, object]:
    shown = links(lab)[ends[0], ends[1]]["properties"]
    return {name: shown.get(name) for name in SETTINGS}


def since(lab: Lab, start: int) -> list[tuple[str, str, str]]:
    """The writes that Azure took from a point of the log on: method, network, name of the half."""
    taken = [each for each in lab.writes()[start:] if 200 <= each[2] < 300]
    return [(method, path.split("/")[8], path.split("/")[10].rsplit("-", 1)[0]) for method, path, _ in taken]


def told_of_the_change(lab: Lab, half: str) -> None:
    """An Event, a line of the log, two metrics and a row of the status tell what was done: the field, before and after."""
    words = f"Update {half}: "
    field = "properties.allowForwardedTraffic: false → true"
    lab.wait_for(lambda: any(words in each and field in each for each in notes(lab)), "an Event tells it")
    log = lab.operator.log.read_text().splitlines()
    assert [line for line in log if "planned: " in line and words in line and field in line]
    updates = 'kind="VNetPeering",resource_type="virtualnetworks/virtualnetworkpeerings",verb="Update"'
    # Of the half that was taken over, and of this one.
    both = [f"azurebastion_{name}_total{{{updates}}}" for name in ("drift", "writes")]
    lab.wait_for(lambda: [samples(lab).get(each) for each in both] == [2, 2], "the metrics count both")
    flags = ["allowForwardedTraffic"]
    lab.wait_for(lambda: rows(lab, "kept")["sound"].get("hubFlags") == flags, "the row has the flags of the hub's half")
    row = rows(lab, "kept")["sound"]
    assert [row[f"{end}State"] for end in ("hub", "spoke")] == ["Connected"] * 2
    assert [row[f"{end}SyncLevel"] for end in ("hub", "spoke")] == ["FullyInSync"] * 2


def notes(lab: Lab) -> list[str]:
    return [each["note"] for each in lab.events()]


def test_links_are_kept_as_they_were_found_repaired_so_and_removed_only_where_they_were_made(
    lab_factory: Callable[..., Lab],
) -> None:
    lab = lab_factory(estate())
    found = {ends: settings(lab, *ends) for ends in (("hub", "parts"), ("parts", "hub"))}
    found["hub", "parts"]["allowForwardedTraffic"] = True
    lab.operator.start()
    lab.apply(
        asking(
            "kept",
            "sound",
            "parts",
            "gone",
            adoptionPolicy="IfUnmanaged",
            hubToSpoke={"allowForwardedTraffic": True},
        ),
        asking("gateway", "branch", hubToSpoke={"allowGatewayTransit": True}, spokeToHub={"useRemoteGateways": True}),
    )
    lab.wait_ready("vnp/kept", "vnp/gateway")
    made = since(lab, 0)
    own = "azurebastion"
    mine = [
        ("PUT", one, f"{own}-{other}")
        for spoke in ("sound", "gone", "branch")
        for one, other in (("hub", spoke), (spoke, "hub"))
    ]
    assert sorted(made) == sorted([*mine, ("PUT", "hub", "theirs")])
    assert {ends: settings(lab, *ends) for ends in found} == found, "of what is taken over one field was changed"
    assert made.index(("PUT", "hub", f"{own}-branch")) < made.index(("PUT", "branch", f"{own}-hub")), (
        "a gateway is lent before it is used"
    )
    assert settings(lab, "branch", "hub")["useRemoteGateways"] is True

    # One field is changed by hand: one write puts back that field and no other.
    before, start = links(lab)["hub", "sound"], len(lab.writes())
    foreign = copy.deepcopy(before)
    foreign["properties"] |= {"allowForwardedTraffic": False, "allowVirtualNetworkAccess": False}
    change(lab, put=foreign)
    lab.wait_for(lambda: since(lab, start) == [("PUT", "hub", f"{own}-sound")], "the flag of the spec is put back")
    after = links(lab)["hub", "sound"]["properties"]
    assert (after["allowForwardedTraffic"], after["allowVirtualNetworkAccess"]) == (True, False)
    told_of_the_change(lab, before["id"])

    # A half that was taken over is made anew with all that it had, and its counterpart, which somebody deleted, to fit it.
    start = len(lab.writes())
    change(lab, delete=f"{network('parts')}/virtualNetworkPeerings/theirs")
    found["parts", "hub"]["allowForwardedTraffic"] = False
    anew = [("DELETE", "hub", "theirs"), ("PUT", "hub", "theirs"), ("PUT", "parts", "theirs")]
    lab.wait_for(lambda: sorted(since(lab, start)) == anew, "both halves are made anew under their names")
    lab.wait_ready("vnp/kept")
    assert {ends: settings(lab, *ends) for ends in found} == found

    # A network is deleted: its dead half goes, and nothing else is done about it.
    start = len(lab.writes())
    change(lab, delete=network("gone"))
    lab.wait_for(lambda: ("hub", "gone") not in links(lab), "the dead half goes")
    lab.wait_condition("vnp", "kept", "Ready", "False", "VirtualNetworkNotFound")
    lab.wait_still(seconds=1.3)
    assert since(lab, start) == [("DELETE", "hub", f"{own}-gone")]

    lab.delete("vnp")
    assert links(lab).keys() == {("hub", "parts"), ("parts", "hub"), ("hub", "branch"), ("branch", "hub")}
    assert {ends: settings(lab, *ends) for ends in found} == found
    lab.wait_for(lambda: kept(lab) == {"kept": "KeptNotOwned", "gateway": "KeptRemoteGateways"}, "what is left is told")


def kept(lab: Lab) -> dict[str, str]:
    """By name of VNetPeering: why its Event says that something is kept."""
    return {each["regarding"]["name"]: each["reason"] for each in lab.events() if each["reason"].startswith("Kept")}

"""The hubs of the soak: three shapes, what is asked for of each in turn, and what must then stand in Azure.

Each hub has a subscription of its own with a BastionHost and a VNetPeering. What a wish must leave is learned from a hub that
nobody disturbs; what somebody else has written there since, tags by which visits are counted, is compared by itself.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product
from typing import Any

from arm_emulator.client import canonical
from bastion_operator.reconcile.keys import Key, Kind
from tests.faults.kill_run import comparable
from tests.faults.story import Story, estate, id_in, row, subnet, subscription_of, template_of
from tests.support.operator_in_process import Manifest

VISITED = "visited"
# Two cores cannot look at all more often: three hours are half a minute here.
INTERVAL_HOURS = 3
_NETWORK = "Microsoft.Network"
SELECTED = {"network": "spoke"}
_THEIRS = "theirs"


class Shape(StrEnum):
    """What a hub's custom resources are like."""

    WHOLE = "whole"  # rules and spokes are kept as they are listed
    SELECTING = "selecting"  # spokes are found by a tag that comes and goes
    OBSERVED = "observed"  # somebody else's Bastion and links, which are only looked at


@dataclass(frozen=True, slots=True)
class Wish:
    """One of the specs of a hub's BastionHost, and one of its VNetPeering's or of the sets of spokes that have the tag."""

    host: int = 0
    links: int = 0


_BASIC = {"sku": "Basic", "subnetPrefix": "Auto"}
_STANDARD = {"sku": "Standard", "subnetPrefix": "Auto"}
_ENFORCED = {"subnet": "Enforce", "targets": "Enforce", "overrideDenies": True}
_OFFICE = {**_ENFORCED, "allowedSources": ["203.0.113.0/24"]}
HOSTS: Mapping[Shape, Sequence[Manifest]] = {
    Shape.WHOLE: (
        {**_BASIC, "networkSecurity": _ENFORCED},
        {**_BASIC, "networkSecurity": _OFFICE},
        {**_STANDARD, "networkSecurity": _OFFICE, "scaleUnits": 3, "features": {"nativeClient": True}},
    ),
    Shape.SELECTING: (
        {**_BASIC, "tags": {"cost-center": "platform"}},
        {**_BASIC, "tags": {"cost-center": "network"}},
    ),
    Shape.OBSERVED: (
        {"azureName": _THEIRS, "managementPolicy": "Observe", "sku": "Standard"},
        {"azureName": _THEIRS, "managementPolicy": "Observe", "sku": "Premium"},
    ),
}
# The spokes that are listed, or that have the tag.
SPOKES: Mapping[Shape, Sequence[Sequence[str]]] = {
    Shape.WHOLE: (("spoke",), ("spoke", "second"), ("second",)),
    Shape.SELECTING: (("spoke", "second"), ("second", "third"), ("spoke", "second", "third")),
    Shape.OBSERVED: (("spoke",), ("spoke", "second")),
}
_PREFIXES = {"hub": "10.0.0.0/16", "spoke": "10.1.0.0/16", "second": "10.2.0.0/16", "third": "10.3.0.0/16"}


@dataclass
class Hub(Story):
    """A hub of the soak.

    :ivar alive: whether its custom resources are there
    :ivar visits: the visits that somebody else has counted, by the id of the resource in lower case
    """

    shape: Shape = Shape.WHOLE
    wish: Wish = field(default_factory=Wish)
    alive: bool = False
    visits: dict[str, str] = field(default_factory=dict)

    @property
    def managed(self) -> bool:
        """Whether the operator writes to Azure for it."""
        return self.shape is not Shape.OBSERVED

    def possible(self) -> list[Wish]:
        """What can be asked for next: Azure makes no SKU smaller."""
        hosts = range(len(HOSTS[self.shape]))
        raised = self.shape is Shape.WHOLE and self.alive and self.wish.host == 2
        return [Wish(*each) for each in product([2] if raised else hosts, range(len(SPOKES[self.shape])))]

    def host_spec(self, wish: Wish) -> Manifest:
        """The spec of the BastionHost; a field that the wish does not name is taken out of the spec as it is."""
        none = {"scaleUnits": None, "features": None} if self.shape is Shape.WHOLE else {}
        spec = {**none, **self._common(), **HOSTS[self.shape][wish.host]}
        if self.shape is Shape.WHOLE:
            spec["networkSecurity"] = {"allowedSources": None, **spec["networkSecurity"]}
        return {"virtualNetworkID": self.network("hub"), **spec}

    def links_spec(self, wish: Wish) -> Manifest:
        """The spec of the VNetPeering."""
        spec = {**self._common(), "hub": {"virtualNetworkID": self.network("hub")}}
        if self.shape is Shape.SELECTING:
            selector = {"subscriptions": [self.subscription], "tags": SELECTED}
            return {**spec, "spokeSelector": {**selector, "onLeave": "Delete", "leaveGrace": "1h"}}
        spokes = SPOKES[self.shape][wish.links]
        forwarded = {"spokeToHub": {"allowForwardedTraffic": len(spokes) > 1}} if self.managed else {}
        policy = {} if self.managed else {"managementPolicy": "Observe"}
        return {**spec, **policy, **forwarded, "spokes": [{"virtualNetworkID": self.network(each)} for each in spokes]}

    def tagged(self, wish: Wish) -> Mapping[str, bool]:
        """Which spokes have the tag by this wish, by name; empty where tags say nothing."""
        if self.shape is not Shape.SELECTING:
            return {}
        return {name: name in SPOKES[self.shape][wish.links] for name in _PREFIXES if name != "hub"}

    def in_sync(self, key: Key, wish: Wish) -> bool:
        """Whether Ready may be True: somebody who only looks tells what differs."""
        if self.managed:
            return True
        return (wish.host if key.kind is Kind.BASTION_HOST else wish.links) == 0

    def network(self, name: str) -> str:
        return self.id_of("virtualNetworks", name)

    def visitable(self) -> list[str]:
        """The ids of what somebody else tags."""
        own = [self.id_of("bastionHosts", self.name)] if self.managed and self.alive else []
        machine = id_in(self.subscription, "Microsoft.Compute/virtualMachines", "web")
        group = self.id_of("networkSecurityGroups", "closed")
        return [*own, machine, group, *(self.network(each) for each in _PREFIXES)]

    def _common(self) -> Manifest:
        return {"identityRef": {"name": self.identity}, "interval": f"{INTERVAL_HOURS}h"}


def hub_estate(name: str, shape: Shape) -> list[Manifest]:
    """What is there before the first day."""
    rows = estate(name)
    for extra in ("second", "third"):
        rows.append(spoke_row(name, extra))
    if shape is Shape.OBSERVED:
        _add_theirs(name, rows)
    return rows


def spoke_row(name: str, which: str) -> Manifest:
    """A network that nothing is joined with."""
    network = id_in(subscription_of(name), f"{_NETWORK}/virtualNetworks", which)
    prefix = _PREFIXES[which]
    part = prefix.replace("0.0/16", "0.0/24")
    return row(network, {"addressSpace": {"addressPrefixes": [prefix]}, "subnets": [subnet("work", part)]})


def _add_theirs(name: str, rows: list[Manifest]) -> None:
    """Somebody else's Bastion in the hub, and their links with the first spoke."""
    own = subscription_of(name)
    networks = {each["name"]: each for each in rows if each["type"] == f"{_NETWORK}/virtualNetworks"}
    hub, spoke = networks["hub"], networks["spoke"]
    hub["properties"]["subnets"].append(subnet("AzureBastionSubnet", "10.0.1.0/26"))
    for local, remote in ((hub, spoke), (spoke, hub)):
        known = remote["properties"]["addressSpace"]
        link = {
            "remoteVirtualNetwork": {"id": remote["id"]},
            "remoteAddressSpace": known,
            "remoteVirtualNetworkAddressSpace": known,
            "peeringState": "Connected",
            "peeringSyncLevel": "FullyInSync",
            "allowVirtualNetworkAccess": True,
        }
        local["properties"]["virtualNetworkPeerings"] = [{"name": _THEIRS, "properties": link}]
    address = id_in(own, f"{_NETWORK}/publicIPAddresses", _THEIRS)
    fixed = {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4", "ipAddress": "20.1.2.3"}
    rows.append({**row(address, fixed), "sku": {"name": "Standard", "tier": "Regional"}})
    place = {"subnet": {"id": f"{hub['id']}/subnets/AzureBastionSubnet"}, "publicIPAddress": {"id": address}}
    host = {"scaleUnits": 2, "ipConfigurations": [{"name": "ip", "properties": place}]}
    theirs = id_in(own, f"{_NETWORK}/bastionHosts", _THEIRS)
    rows.append({**row(theirs, host), "sku": {"name": "Standard"}})


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in a hub's subscription.

    :ivar text: all of it, without what is the hub's own and without the visits
    :ivar visits: those, by the id of the resource in lower case
    """

    text: str
    visits: Mapping[str, str]


@dataclass
class Standings:
    """What stands, worked out again only where something has changed."""

    _known: dict[str, tuple[str, Standing]] = field(default_factory=dict)

    def of(self, resources: Iterable[Manifest], names: Iterable[str]) -> dict[str, Standing]:
        """What stands in the subscription of each hub, by its name, of everything that stands in Azure."""
        by_subscription: dict[str, list[Manifest]] = {}
        for each in resources:
            by_subscription.setdefault(str(each["id"]).lower().split("/")[2], []).append(each)
        return {name: self._one(by_subscription[subscription_of(name)], name) for name in names}

    def _one(self, resources: Sequence[Manifest], name: str) -> Standing:
        raw = json.dumps(resources)
        known = self._known.get(name)
        if known is None or known[0] != raw:
            known = self._known[name] = (raw, _standing(resources, name))
        return known[1]


def _standing(resources: Sequence[Manifest], name: str) -> Standing:
    visits: dict[str, str] = {}
    bodies = [_without_places(_without_visit(each, visits)) for each in resources]
    general = template_of(json.dumps(comparable(canonical(bodies))).lower(), name)
    # What hashes had put in another order is put in one once they are gone.
    return Standing(json.dumps(comparable(json.loads(general)), sort_keys=True, indent=1), visits)


def _without_visit(body: Manifest, visits: dict[str, str]) -> Manifest:
    tags: dict[str, Any] = body.get("tags") or {}
    if VISITED not in tags:
        return body
    visits[str(body["id"]).lower()] = str(tags[VISITED])
    return {**body, "tags": {key: value for key, value in tags.items() if key != VISITED}}


def _without_places(value: Any) -> Any:
    """A body without the priorities of the operator's own rules: they go to the first place that is free."""
    if isinstance(value, list):
        return [_without_places(each) for each in value]
    if not isinstance(value, dict):
        return value
    own = str(value.get("name", "")).startswith("azurebastion-")
    return {
        name: {key: inner for key, inner in part.items() if key != "priority"}
        if own and name == "properties"
        else _without_places(part)
        for name, part in value.items()
    }

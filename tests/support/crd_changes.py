"""What users may and may not make of an object that stands, with the words in which the API server refuses it."""

import copy
from dataclasses import dataclass, field
from typing import Any

from tests.support.crd_examples import (
    HUB,
    OTHER,
    SPOKE,
    Manifest,
    host,
    mesh,
    peering,
)


@dataclass(frozen=True)
class Change:
    """An object that stands, the manifest that is applied over it and, where that is refused, a part of the message."""

    name: str
    before: Manifest
    after: Manifest = field(default_factory=dict)
    message: str = ""


_AGAIN = "delete this BastionHost and apply it again with the new value"


def _changed(base: Manifest, **spec: Any) -> Manifest:
    changed = copy.deepcopy(base)
    changed["spec"].update(spec)
    return changed


def _without(base: Manifest, name: str) -> Manifest:
    changed = copy.deepcopy(base)
    del changed["spec"][name]
    return changed


_OBSERVED = host(managementPolicy="Observe", zones=["1"])
_WHOLE = host(resourceGroup="rg", azureName="b", zones=["1", "2"], subnetPrefix="10.0.0.0/26", publicIP={"name": "a"})

GOOD_CHANGES = [
    Change("an id in another case", host(), host(virtualNetworkID=HUB.upper())),
    Change("zones in another order", _WHOLE, _changed(_WHOLE, zones=["2", "1"])),
    Change("a prefix where the subnet does not exist", host(), host(subnetPrefix="10.0.0.0/26")),
    Change("a SKU raised", host(sku="Basic"), host(sku="Premium")),
    Change(
        "a Developer host raised",
        host(sku="Developer"),
        host(zones=["1"], subnetPrefix="Auto", publicIP={"name": "a"}),
    ),
    Change(
        "what only a new host can have, asked for with a new host",
        _WHOLE,
        _without(_changed(_WHOLE, replacePolicy="Recreate", zones=["3"], sku="Basic"), "publicIP"),
    ),
    Change(
        "private only with a new host",
        host(sku="Premium"),
        host(sku="Premium", replacePolicy="Recreate", features={"privateOnly": True}),
    ),
    Change("what was only observed", _OBSERVED, host(zones=["2"], publicIP={"name": "a"})),
    Change("a way out of a deletion", host(), host(deletionPolicy="Retain")),
    Change("another spoke", peering(SPOKE), peering(SPOKE, OTHER)),
]

BAD_CHANGES = [
    Change(
        "another network",
        host(),
        host(virtualNetworkID=SPOKE),
        f"virtualNetworkID is fixed by Azure at creation: {_AGAIN}",
    ),
    Change(
        "another group",
        _WHOLE,
        _changed(_WHOLE, resourceGroup="other"),
        f"resourceGroup says which host this is and cannot change, Azure moves no Bastion: {_AGAIN}",
    ),
    Change("a group added", host(), host(resourceGroup="rg"), "resourceGroup says which host this is"),
    Change(
        "another name for Azure",
        _WHOLE,
        _changed(_WHOLE, azureName="c"),
        f"azureName says which host this is and cannot change, Azure renames nothing: {_AGAIN}",
    ),
    Change(
        "another name with a new host",
        _WHOLE,
        _changed(_WHOLE, replacePolicy="Recreate", azureName="c"),
        "azureName says which host this is",
    ),
    Change("no name for Azure any more", _WHOLE, _without(_WHOLE, "azureName"), "azureName says which host this is"),
    Change(
        "another zone", _WHOLE, _changed(_WHOLE, zones=["1", "3"]), f"zones is fixed by Azure at creation: {_AGAIN}"
    ),
    Change(
        "another zone, without the way out",
        _WHOLE,
        _changed(_WHOLE, zones=["3"]),
        "or set replacePolicy: Recreate to have the host deleted and made anew",
    ),
    Change("zones added", host(), host(zones=["1"]), "zones is fixed by Azure at creation"),
    Change(
        "another prefix",
        _WHOLE,
        _changed(_WHOLE, subnetPrefix="10.0.1.0/26"),
        f"subnetPrefix is fixed by Azure at creation: {_AGAIN}",
    ),
    Change(
        "no prefix any more", _WHOLE, _without(_WHOLE, "subnetPrefix"), "subnetPrefix is fixed by Azure at creation"
    ),
    Change(
        "another address",
        _WHOLE,
        _changed(_WHOLE, publicIP={"name": "b"}),
        f"publicIP is fixed by Azure at creation: {_AGAIN}",
    ),
    Change("an address added", host(), host(publicIP={"name": "b"}), "publicIP is fixed by Azure at creation"),
    Change(
        "private only later",
        host(sku="Premium"),
        host(sku="Premium", features={"privateOnly": True}),
        f"features.privateOnly is fixed by Azure at creation: {_AGAIN}",
    ),
    Change(
        "another hub",
        peering(),
        peering(hub={"virtualNetworkID": OTHER}),
        "the hub says which links these are and cannot change: delete this VNetPeering",
    ),
    Change(
        "another topology",
        peering(SPOKE, OTHER),
        mesh(SPOKE, OTHER),
        "topology says which links these are and cannot change: delete this VNetPeering",
    ),
]

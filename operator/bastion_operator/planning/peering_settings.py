"""The settings of a half: what the spec names, what it has, and what must outlive its deletion and re-creation.

Only deleting a Disconnected half and making it anew joins it again. What it was set to and the spec leaves out (a
gateway flag, the subnets that take part) must survive that, also a crash in between: it is written into the claim
before the deletion. Source of the fields and their defaults: Microsoft's reference of Virtual Network Peerings.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from bastion_operator.api.common import Claim
from bastion_operator.planning.body import properties
from bastion_operator.planning.peering_link import Link

USE_REMOTE_GATEWAYS: Final = "useRemoteGateways"
ALLOW_GATEWAY_TRANSIT: Final = "allowGatewayTransit"

# Azure's own defaults, written out: what a link is made with does not hang on an api-version's defaults.
FLAGS_AT_CREATION: Final[Mapping[str, bool]] = MappingProxyType(
    {
        "allowVirtualNetworkAccess": True,
        "allowForwardedTraffic": False,
        ALLOW_GATEWAY_TRANSIT: False,
        USE_REMOTE_GATEWAYS: False,
    }
)
# Further settings that a person may have made, with Azure's defaults.
_OTHERS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "doNotVerifyRemoteGateways": False,
        "peerCompleteVnets": True,
        "enableOnlyIPv6Peering": False,
        "localSubnetNames": [],
        "remoteSubnetNames": [],
    }
)
_DEFAULTS: Final[Mapping[str, Any]] = MappingProxyType({**FLAGS_AT_CREATION, **_OTHERS})
# Claims have room for 1,024 characters of detail.
_LONGEST_DETAIL = 1024

Settings = Mapping[str, Any]


def settings_of(link: Link) -> dict[str, Any]:
    """What somebody has set on the half: the writable fields whose values are not Azure's defaults."""
    found = properties(link.body)
    return {name: found[name] for name, default in _DEFAULTS.items() if found.get(name) not in (None, default)}


def claim_detail(remote_id: str, kept: Settings | None = None) -> str | None:
    """The detail of a half's claim: the network that it leads to, and the settings to make it anew with.

    None if the settings do not fit.
    """
    detail = f"{remote_id} {json.dumps(dict(kept), separators=(',', ':'), sort_keys=True)}" if kept else remote_id
    return detail if len(detail) <= _LONGEST_DETAIL else None


def remote_of(claim: Claim) -> str | None:
    """The id of the network that a claimed half leads to; None for a claim without detail."""
    return claim.detail.partition(" ")[0] if claim.detail else None


def kept_settings(claim: Claim | None) -> dict[str, Any]:
    """The settings that the claim keeps for a half that is to be made anew; empty for any other."""
    _, _, text = ((claim.detail or "") if claim is not None else "").partition(" ")
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return {}
    return {name: found[name] for name in _DEFAULTS if name in found} if isinstance(found, dict) else {}


def settings_at_creation(flags: Mapping[str, bool], kept: Settings) -> dict[str, Any]:
    """Everything that a new half is made with: Azure's defaults, what it had before, what the spec names."""
    return {**FLAGS_AT_CREATION, **kept, **flags}

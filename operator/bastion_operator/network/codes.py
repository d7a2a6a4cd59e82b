"""Every code that a verdict can carry: its class, the step that finds it, and its place in the order of reasons."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bastion_operator.network.finding import Finding, FindingClass, Fix

ANY_STEP: Final = 0
"""The step of a code that several steps use: it stands where the step stood that found it."""


class UnknownCodeError(KeyError):
    """A finding was made with a code that is not in the table; only a defect of this program does that."""


@dataclass(frozen=True, slots=True)
class Code:
    """A code, what it does to the verdict, and the step of the decision procedure (docs/reachability.md) that finds it."""

    name: str
    finding_class: FindingClass
    step: int


_UNREACHABLE: Final = (
    (1, "BastionNotFound", "BastionNotSucceeded"),
    (3, "SubnetMissing"),
    (4, "SubnetDefaultRouteDiverted"),
    (5, "DefaultRouteAdvertised", "VwanDefaultRoutePropagated"),
    (6, "PrivateDnsZoneConflict"),
    (7, "BastionNsgMissingRule", "BastionNsgRuleShadowed", "PublicIPInvalid"),
    (8, "VMNotRunning", "NoIPv4Address", "NotPrimaryNic"),
    (9, "ProtocolNotSupportedBySku", "CustomPortNotSupported"),
    (11, "DeveloperNoPeering", "CrossTenantPeering", "NotPeered", "PeeringNotTransitive", "PeeringOneSided"),
    (11, "PeeringDisconnected", "AddressSpaceNotSynced", "SubnetNotPeered", "SubnetPeeringIPv6Only"),
    (12, "IpConnectSkuTooLow", "IpConnectDisabled", "NoRouteToTarget"),
    (13, "BastionNsgDenies"),
    (14, "SecurityAdminDenies"),
    (15, "SubnetNsgDenies", "NicNsgDenies", "NsgPartiallyBlocksBastion"),
    (16, "ReturnRouteDiverted"),
)
_UNKNOWN: Final = (
    (1, "BastionUpdating", "BastionStateFailed"),
    (11, "PeeringAccessDisabled", "ConnectedGroupNoPeering"),
    (ANY_STEP, "EffectiveDataUnavailable", "PermissionDenied", "UnknownServiceTag"),
)
_WARNING: Final = (
    (3, "SubnetTooSmall", "SubnetNotDedicated"),
    (4, "UnsupportedSubnetRouteTable"),
    (7, "BastionNsgRowNotExplicit"),
    (8, "RdsOrAvdTarget"),
    (11, "VnetEncryptionEnforced"),
    (12, "IpConnectRequired"),
    (14, "SecurityAdminAlwaysAllows"),
    (17, "NativeClientDisabled"),
    (18, "GuestNotVerified", "RbacNotEvaluated", "RoleMissing", "JitMayBlock", "CapacityExceeded"),
    (ANY_STEP, "NotLookedAt"),
)


def _table() -> dict[str, Code]:
    classes = (
        (FindingClass.UNREACHABLE, _UNREACHABLE),
        (FindingClass.UNKNOWN, _UNKNOWN),
        (FindingClass.WARNING, _WARNING),
    )
    return {
        name: Code(name, finding_class, step)
        for finding_class, rows in classes
        for step, *names in rows
        for name in names
    }


CODES: Final[Mapping[str, Code]] = MappingProxyType(_table())


def finding(
    code: str,
    message: str,
    *,
    resource: str | None = None,
    rule: str | None = None,
    priority: int | None = None,
    direction: str | None = None,
    fix: Fix | None = None,
) -> Finding:
    """A finding with the class that the table gives its code.

    Raises UnknownCodeError if the code is not in the table, so that nothing can be published that is not documented.
    """
    if (known := CODES.get(code)) is None:
        raise UnknownCodeError(f"{code} is no code of bastion_operator.network.codes: add it to the table first")
    return Finding(code, known.finding_class, message, resource, rule, priority, direction, fix)

"""What mends a reason, as fields of the custom resources: what a person writes to have the operator do it.

The operator changes what is a Bastion's or a peering's; VMs, route tables, DNS zones and the administrator's rules are others'
to change, and their reasons have no field.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bastion_operator.api.bastion_host import BastionHost
from bastion_operator.api.meta import RECREATE_FAILED
from bastion_operator.api.vnet_peering import VNetPeering
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.finding import Action, Change, Finding
from bastion_operator.network.reachability.verdict import Verdict
from bastion_operator.network.security_group import DEFAULT_RULES, Direction

HOST: Final = BastionHost.names.kind
PEERING: Final = VNetPeering.names.kind
_DEFAULT_NAMES: Final = frozenset(rule.name for rule in DEFAULT_RULES)


@dataclass(frozen=True, slots=True)
class FixField:
    """A field of a custom resource and the value that it is to have.

    ``about`` is the Azure resource that the object stands for: the Bastion, or the hub's VNet; None for an object that is
    to be made. ``field`` is the path from the object's root; a key with dots in it stands in brackets.
    """

    kind: str
    about: str | None
    field: str
    value: Any


@dataclass(frozen=True, slots=True)
class Mending:
    """A finding of a verdict, with its fix where it has one, and the VNets at both ends as far as they are known."""

    verdict: Verdict
    finding: Finding
    bastion_network: str | None = None
    machine_network: str | None = None

    @property
    def changes(self) -> tuple[Change, ...]:
        """What the fix changes."""
        return () if self.finding.fix is None else self.finding.fix.changes

    def host(self, field: str, value: Any) -> FixField:
        """A field of the BastionHost that stands for the verdict's Bastion."""
        return FixField(HOST, self.verdict.bastion, field, value)


def fix_fields(mending: Mending) -> tuple[FixField, ...]:
    """The fields that mend the finding; empty where no custom resource does."""
    fields = _FIELDS.get(mending.finding.code)
    return () if fields is None else tuple(fields(mending))


def _another_host(mending: Mending) -> Iterator[FixField]:
    """A BastionHost in the VM's own VNet, where the fix makes one."""
    makes_one = any(change.action is Action.CREATE for change in mending.changes)
    if makes_one and mending.machine_network is not None:
        yield FixField(HOST, None, "spec.virtualNetworkID", mending.machine_network)
        yield FixField(HOST, None, "spec.sku", "Basic")
        yield FixField(HOST, None, "spec.subnetPrefix", "Auto")


def _anew(mending: Mending) -> Iterator[FixField]:
    yield mending.host(f"metadata.annotations[{RECREATE_FAILED}]", "ETAG")


def _subnet(mending: Mending) -> Iterator[FixField]:
    yield mending.host("spec.subnetPrefix", "Auto")


def _public_ip(mending: Mending) -> Iterator[FixField]:
    yield mending.host("spec.publicIP.name", "NAME")
    yield mending.host("spec.replacePolicy", "Recreate")


def _own_rules(mending: Mending) -> Iterator[FixField]:
    yield mending.host("spec.networkSecurity.subnet", "Enforce")
    yield from _in_front(mending)


def _target_rules(mending: Mending) -> Iterator[FixField]:
    if mending.finding.direction == Direction.OUTBOUND.value:
        yield from _own_rules(mending)
    elif all(change.action is not Action.REQUEST_ACCESS for change in mending.changes):
        yield mending.host("spec.networkSecurity.targets", "Enforce")
        yield from _in_front(mending)


def _in_front(mending: Mending) -> Iterator[FixField]:
    """A Deny that somebody wrote is stepped in front of only where that is asked for."""
    rule = mending.finding.rule
    if rule is not None and rule not in _DEFAULT_NAMES:
        yield mending.host("spec.networkSecurity.overrideDenies", True)


_HOST_FIELDS: Final = {
    "sku.name": "sku",
    "properties.scaleUnits": "scaleUnits",
    "properties.enableIpConnect": "features.ipConnect",
    "properties.enableTunneling": "features.nativeClient",
    "properties.enableSessionRecording": "features.sessionRecording",
}


def _host_fields(mending: Mending) -> Iterator[FixField]:
    """What the fix changes of the host, field by field."""
    for change in mending.changes:
        if (field := _HOST_FIELDS.get(change.field)) is not None:
            yield mending.host(f"spec.{field}", change.to_value)


def _custom_port(mending: Mending) -> Iterator[FixField]:
    yield from _host_fields(mending)
    yield mending.host(f"spec.networkSecurity.ports.{mending.verdict.protocol.value.lower()}", [mending.verdict.port])


def _peering(mending: Mending) -> Iterator[FixField]:
    """Both VNets in one VNetPeering: the Bastion's as its hub, the VM's as a spoke; or a Bastion in the VM's own."""
    if any(change.action is Action.CREATE for change in mending.changes):
        yield from _another_host(mending)
        return
    hub, spoke = mending.bastion_network, mending.machine_network
    if hub is None or spoke is None:
        hub, spoke = _joined(mending.changes)
    if hub is None or spoke is None:
        return
    yield FixField(PEERING, hub, "spec.hub.virtualNetworkID", hub)
    yield FixField(PEERING, hub, "spec.spokes", [{"virtualNetworkID": spoke}])


def _joined(changes: tuple[Change, ...]) -> tuple[str | None, str | None]:
    """The VNets that the fix joins, as the first link that it adds names them; None where it joins none."""
    for change in changes:
        if change.field == "properties.virtualNetworkPeerings":
            return change.resource, str(change.to_value["properties"]["remoteVirtualNetwork"]["id"])
    return None, None


def _kept_peering(mending: Mending) -> Iterator[FixField]:
    """A link that the operator keeps is repaired and synced by itself; one that others made it takes over where it may."""
    hub, spoke = mending.bastion_network, mending.machine_network
    if hub is not None and spoke is not None:
        yield FixField(PEERING, hub, "spec.hub.virtualNetworkID", hub)
        yield FixField(PEERING, hub, "spec.spokes", [{"virtualNetworkID": spoke}])
        yield FixField(PEERING, hub, "spec.adoptionPolicy", "IfUnmanaged")


def _access(mending: Mending) -> Iterator[FixField]:
    hub = mending.bastion_network
    if hub is not None:
        in_hub = normalise_id(mending.finding.resource or "").startswith(normalise_id(hub) + "/")
        side = "hubToSpoke" if in_hub else "spokeToHub"
        yield FixField(PEERING, hub, f"spec.{side}.allowVirtualNetworkAccess", True)


_FIELDS: Final[Mapping[str, Callable[[Mending], Iterator[FixField]]]] = {
    "BastionNotFound": _another_host,
    "BastionNotSucceeded": _anew,
    "SubnetMissing": _subnet,
    "BastionNsgMissingRule": _own_rules,
    "BastionNsgRuleShadowed": _own_rules,
    "BastionNsgRowNotExplicit": _own_rules,
    "PublicIPInvalid": _public_ip,
    "ProtocolNotSupportedBySku": _host_fields,
    "CustomPortNotSupported": _custom_port,
    "DeveloperNoPeering": _host_fields,
    "CrossTenantPeering": _another_host,
    "NotPeered": _peering,
    "PeeringNotTransitive": _peering,
    "NoRouteToTarget": _peering,
    "ConnectedGroupNoPeering": _peering,
    "IpConnectRequired": _peering,
    "PeeringOneSided": _kept_peering,
    "PeeringDisconnected": _kept_peering,
    "AddressSpaceNotSynced": _kept_peering,
    "PeeringAccessDisabled": _access,
    "IpConnectSkuTooLow": _host_fields,
    "IpConnectDisabled": _host_fields,
    "BastionNsgDenies": _own_rules,
    "SubnetNsgDenies": _target_rules,
    "NicNsgDenies": _target_rules,
    "NsgPartiallyBlocksBastion": _target_rules,
    "NativeClientDisabled": _host_fields,
    "CapacityExceeded": _host_fields,
}

"""The fixes of every code, and why some have none."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from bastion_operator.network.finding import Finding, Fix
from bastion_operator.network.fixes import flows, hosts, missing, targets, topology
from bastion_operator.network.fixes.situation import Situation

Proposer = Callable[[Situation, Finding], Iterator[Fix]]
"""Fixes of a finding, the smallest first; the first that turns the verdict when it is tried is told."""

PROPOSERS: Final[Mapping[str, Proposer]] = MappingProxyType(
    {
        "BastionNotFound": hosts.another_host,
        "BastionNotSucceeded": hosts.recreate,
        "SubnetMissing": hosts.give_subnet,
        "SubnetDefaultRouteDiverted": hosts.take_table_off,
        "DefaultRouteAdvertised": hosts.keep_to_internet,
        "VwanDefaultRoutePropagated": hosts.keep_to_internet,
        "PrivateDnsZoneConflict": hosts.unlink_zone,
        "BastionNsgMissingRule": hosts.add_row,
        "BastionNsgRuleShadowed": hosts.add_row,
        "PublicIPInvalid": hosts.give_address,
        "VMNotRunning": targets.start,
        "NoIPv4Address": targets.give_address,
        "NotPrimaryNic": targets.ask_primary_address,
        "ProtocolNotSupportedBySku": hosts.any_protocol,
        "CustomPortNotSupported": hosts.any_protocol,
        "DeveloperNoPeering": topology.leave_developer,
        "CrossTenantPeering": topology.bastion_of_its_own,
        "NotPeered": topology.peer,
        "PeeringNotTransitive": topology.peer,
        "PeeringOneSided": topology.complete,
        "PeeringDisconnected": topology.renew,
        "AddressSpaceNotSynced": topology.sync,
        "SubnetNotPeered": topology.name_subnets,
        "SubnetPeeringIPv6Only": topology.carry_ipv4,
        "IpConnectSkuTooLow": topology.connect_by_address,
        "IpConnectDisabled": topology.connect_by_address,
        "NoRouteToTarget": topology.peer,
        "BastionNsgDenies": flows.open_group,
        "SecurityAdminDenies": flows.allow_by_administrator,
        "SubnetNsgDenies": flows.open_group,
        "NicNsgDenies": flows.open_group,
        "NsgPartiallyBlocksBastion": flows.open_group,
        "ReturnRouteDiverted": flows.keep_replies,
        "BastionUpdating": hosts.wait,
        "BastionStateFailed": hosts.send_again,
        "PeeringAccessDisabled": topology.allow_access,
        "ConnectedGroupNoPeering": topology.peer,
        "EffectiveDataUnavailable": missing.find_out,
        "PermissionDenied": missing.grant_reader,
        "UnknownServiceTag": missing.name_prefixes,
        "SubnetTooSmall": hosts.widen_subnet,
        "SubnetNotDedicated": targets.move_out,
        "UnsupportedSubnetRouteTable": hosts.take_table_off,
        "BastionNsgRowNotExplicit": hosts.add_row,
        "VnetEncryptionEnforced": topology.allow_unencrypted,
        "IpConnectRequired": topology.peer,
        "NativeClientDisabled": hosts.native_client,
        "JitMayBlock": flows.request_access,
        "CapacityExceeded": hosts.scale_out,
    }
)

WITHOUT_FIX: Final[Mapping[str, str]] = MappingProxyType(
    {
        "RdsOrAvdTarget": "connect through Azure Virtual Desktop or Remote Desktop Services: the VM is what it is",
        "SecurityAdminAlwaysAllows": "tells why security groups were not asked: nothing to mend",
        "GuestNotVerified": "the guest is no resource of Azure: look inside",
        "RbacNotEvaluated": "name the principals whose roles are to be judged",
        "RoleMissing": "assign the role that the message names: who connects is no part of what a verdict is made of",
        "NotLookedAt": "no source holds it, or it was not read: add its type to what is read",
    }
)
"""Codes that no change in Azure takes away, and what to do instead."""

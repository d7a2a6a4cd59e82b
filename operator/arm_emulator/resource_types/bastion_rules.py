"""What Azure demands of AzureBastionSubnet: size, and a network security group with every row of the published table.

Rules: https://learn.microsoft.com/azure/bastion/bastion-nsg and https://learn.microsoft.com/azure/bastion/configuration-settings
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Network

from arm_emulator.cloud import Cloud, id_of, items
from arm_emulator.errors import ArmError, Json, bad_request
from arm_emulator.resource_types import addresses
from arm_emulator.resource_types.address_use import subnet_prefixes
from arm_emulator.resource_types.base import Put
from arm_emulator.store import Resource

SUBNET_NAME = "AzureBastionSubnet"
LONGEST_PREFIX = 26
_LAST_PORT = 65535
_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
RULES = "Microsoft.Network/networkSecurityGroups/securityRules"


@dataclass(frozen=True, slots=True)
class Row:
    """A rule that the group must have explicitly; `peers` are the tags any of which serves as the other end."""

    direction: str
    peers: frozenset[str]
    ports: tuple[int, ...]


ANY_CLIENT = "client ranges"
TABLE = (
    Row("inbound", frozenset({"internet", ANY_CLIENT}), (443,)),
    Row("inbound", frozenset({"gatewaymanager"}), (443,)),
    Row("inbound", frozenset({"azureloadbalancer"}), (443,)),
    Row("inbound", frozenset({"virtualnetwork"}), (8080, 5701)),
    Row("outbound", frozenset({"virtualnetwork"}), (22, 3389)),
    Row("outbound", frozenset({"azurecloud"}), (443,)),
    Row("outbound", frozenset({"virtualnetwork"}), (8080, 5701)),
    Row("outbound", frozenset({"internet"}), (80,)),
)


def check_subnet(put: Put) -> None:
    """Raises where the subnet is delegated, or gets a prefix that is smaller than /26: one that it has may stay."""
    if subnet_prefixes(put.before) != subnet_prefixes(put.properties):
        check_size(str(put.id), put.properties)
    if items(put.properties, "delegations"):
        raise bad_request(
            "BastionHostSubnetCannotBeDelegated", f"Subnet {put.id} is used by Azure Bastion and cannot be delegated."
        )


def check_size(subnet: str, properties: Json) -> None:
    """Raises where a subnet's IPv4 prefixes are smaller than /26."""
    prefixes = addresses.parsed_prefixes(subnet_prefixes(properties), f"subnet {subnet}")
    if any(isinstance(one, IPv4Network) and one.prefixlen > LONGEST_PREFIX for one in prefixes):
        raise bad_request(
            "BastionHostSubnetSizeNotSupported",
            f"Subnet {subnet} must have a prefix of /{LONGEST_PREFIX} or larger to be used by Azure Bastion.",
        )


def refuse_other_user(subnet: Resource, user: str) -> None:
    """Raises where something that is no Bastion host would take addresses of an AzureBastionSubnet."""
    if subnet.name == SUBNET_NAME:
        raise bad_request(
            "BastionHostSubnetMustBeDedicated",
            f"Subnet {subnet.id} is reserved for Azure Bastion and cannot be used by {user}.",
        )


def check_associated_group(put: Put) -> None:
    """Raises where the subnet's body names a network security group that lacks a row, or any route table."""
    group = put.cloud.find(id_of(put.properties.get("networkSecurityGroup")))
    if group is not None:
        rules = [rule.properties for rule in put.cloud.store.children(group.key, RULES)]
        check_rules(group.name, rules)
    if id_of(put.properties.get("routeTable")) is not None and not put.before.get("routeTable"):
        raise bad_request(
            "RouteTableCannotBeAttachedForAzureBastionSubnet",
            f"Route table cannot be attached to subnet {put.id} because it is reserved for Azure Bastion.",
        )


def check_used_group(cloud: Cloud, group: Resource, rules: list[Json]) -> None:
    """Raises where a group that is on an AzureBastionSubnet would be left with `rules`."""
    for reference in cloud.store.referrers(group.key, "networkSecurityGroup"):
        if reference.element.endswith(f"/{SUBNET_NAME}"):
            check_rules(group.name, rules)


def check_rules(group: str, rules: list[Json]) -> None:
    """Raises NetworkSecurityGroupNotCompliantForAzureBastionSubnet unless Allow rules cover every row and port."""
    allowed = [rule for rule in rules if _allows_tcp(rule)]
    for row in TABLE:
        if not all(any(_covers(rule, row, port) for rule in allowed) for port in row.ports):
            raise not_compliant(group)


def not_compliant(group: str) -> ArmError:
    """The refusal, in Azure's words."""
    return bad_request(
        "NetworkSecurityGroupNotCompliantForAzureBastionSubnet",
        f"Network security group {group} does not have necessary rules for Azure Bastion Subnet {SUBNET_NAME}. "
        "For more information please refer to https://aka.ms/bastionnsg.",
    )


def _allows_tcp(rule: Json) -> bool:
    protocol = str(rule.get("protocol", "")).lower()
    return str(rule.get("access", "")).lower() == "allow" and protocol in ("tcp", "*")


def _covers(rule: Json, row: Row, port: int) -> bool:
    if str(rule.get("direction", "")).lower() != row.direction:
        return False
    if not any(_port_in(port, text) for text in both(rule, "destinationPortRange")):
        return False
    peer = "sourceAddressPrefix" if row.direction == "inbound" else "destinationAddressPrefix"
    return any(_peer_in(prefix.lower(), row.peers) for prefix in both(rule, peer))


def _peer_in(prefix: str, peers: frozenset[str]) -> bool:
    if prefix in ("*", "0.0.0.0/0", "any") or prefix in peers:
        return True
    # Clients come from the Internet, from ranges of one's own, or (private-only) from the network itself.
    return ANY_CLIENT in peers and (prefix[:1].isdigit() or prefix == "virtualnetwork")


def _port_in(port: int, text: str) -> bool:
    if text == "*":
        return True
    found = port_range(text)
    return found is not None and found[0] <= port <= found[1]


def port_range(text: str) -> tuple[int, int] | None:
    """The first and the last port that a rule names, `*` apart; None where that is no range of ports."""
    found = _PORTS.fullmatch(text)
    if found is None:
        return None
    low, high = int(found[1]), int(found[2] or found[1])
    return (low, high) if low <= high <= _LAST_PORT else None


def both(rule: Json, singular: str) -> list[str]:
    """A rule's values from the singular and the plural field."""
    plural = singular + ("es" if singular.endswith("Prefix") else "s")
    several = rule.get(plural)
    values = [str(value) for value in several] if isinstance(several, list) else []
    one = rule.get(singular)
    return [*values, str(one)] if one else values

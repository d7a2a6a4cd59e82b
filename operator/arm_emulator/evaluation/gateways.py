"""What virtual network gateways teach a network: the prefixes of the sites that are connected to them."""

from ipaddress import IPv4Network

from arm_emulator.errors import Json
from arm_emulator.evaluation.rows import Rows, field, network_of, parts, referred, same, space

GATEWAYS = "Microsoft.Network/virtualNetworkGateways"
CONNECTIONS = "Microsoft.Network/connections"


def learned(rows: Rows, network: Json) -> list[IPv4Network]:
    """Prefixes of the sites behind the network's own gateways, or behind those of the peer whose gateways it uses."""
    found = _behind(rows, str(network.get("id", "")))
    for link in parts(network, "virtualNetworkPeerings"):
        if field(link, "useRemoteGateways") is True and field(link, "peeringState") == "Connected":
            found += _behind(rows, str(referred(link, "remoteVirtualNetwork")))
    return found


def _behind(rows: Rows, network_id: str) -> list[IPv4Network]:
    found: list[IPv4Network] = []
    for gateway in rows.of_type(GATEWAYS):
        subnets = [referred(part, "subnet") for part in parts(gateway, "ipConfigurations")]
        if not any(subnet and same(network_of(subnet), network_id) for subnet in subnets):
            continue
        for connection in rows.of_type(CONNECTIONS):
            if same(referred(connection, "virtualNetworkGateway1"), str(gateway["id"])):
                site = rows.find(referred(connection, "localNetworkGateway2"))
                found += [] if site is None else space(site, "localNetworkAddressSpace")
    return found

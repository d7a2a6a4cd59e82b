"""Estates of one Bastion and one VM with whatever may stand between them, as hypothesis makes and shrinks them."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.support import estates
from tests.support.estates import Estate, Row

Draw = st.DrawFn
SPOKE = "10.1.0.0/16"
THIRD = "10.7.0.0/16"
HUBS = ("10.0", "10.0", "10.0", "20.0")
"""How the hub's addresses begin: private ones, and public ones of somebody's own."""
BASTION_PREFIXES = ("1.0/26", "1.0/27", "1.64/28")
SPOKE_ADDRESS = "10.1.2.4"
PIECES = (
    "10.0.1.0/26", "10.0.1.0/27", "10.0.1.32/27", "10.0.1.8/29", "10.0.1.64/28", "10.0.1.64/29", "10.0.1.72/29", "10.0.1.4",
    "10.0.1.0/30", "10.0.1.63/32", "10.0.0.0/16", "10.0.0.0/15", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.0.2.0/24",
    "10.0.2.4", "10.1.2.4/32", "10.7.0.0/16", "20.0.0.0/8", "20.0.0.0/16", "20.0.1.0/26", "20.0.1.32/27", "20.0.1.64/29", "20.0.2.4", "0.0.0.0/0", "168.63.129.16", "168.63.129.0/24",
)  # fmt: skip
TAGS = ("*", "VirtualNetwork", "Internet", "AzureLoadBalancer", "AzureCloud", "Storage.WestEurope", "virtualnetwork")
PORTS = ("*", "22", "3389", "20-30", "0-65535", ["22", "3389"], ["80", "20-21", "23-65535"], "443")
SOURCE_PORTS = ("*", "*", "*", "*", "*", "0-65535", "1024-65535", ["0-1023", "1024-65535"], "443")
ROUTES = (
    "0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/15", "10.0.0.0/16", "10.0.0.0/17", "10.0.1.0/24", "10.0.1.0/26", "10.0.1.32/27",
    "10.0.1.64/28", "10.0.1.0/30", "10.1.0.0/16", "10.1.2.0/24", "20.0.0.0/16", "20.0.1.0/26", "20.0.1.32/27", "0.0.0.0/1",
)  # fmt: skip
HOPS = ("VirtualAppliance", "VirtualNetworkGateway", "VnetLocal", "Internet", "None")
SKUS = ("Developer", "Basic", "Standard", "Standard", "Premium")


@dataclass(frozen=True)
class Flow:
    """An estate and the port that is asked about on VM `web`."""

    estate: Estate
    port: int


def addresses() -> st.SearchStrategy[str | list[str]]:
    one = st.sampled_from((*TAGS, *PIECES))
    return one | st.lists(st.sampled_from(PIECES), min_size=2, max_size=3, unique=True)


@st.composite
def rules(draw: Draw, direction: str) -> list[Row]:
    """Up to five rules of one direction, and now and then one of the other; priorities are unique in a direction."""
    made = []
    for priority in draw(st.lists(st.integers(100, 120), max_size=5, unique=True)):
        held = estates.rule(
            f"r{priority}",
            priority,
            draw(st.sampled_from(("Allow", "Deny"))),
            direction=draw(st.sampled_from((direction, direction, direction, "Inbound", "Outbound"))),
            source=draw(addresses()),
            destination=draw(addresses()),
            ports=draw(st.sampled_from(PORTS)),
            source_ports=draw(st.sampled_from(SOURCE_PORTS)),
            protocol=draw(st.sampled_from(("Tcp", "*", "*", "Udp"))),
        )
        for side in draw(st.sampled_from(((), (), (), (), ("source",), ("destination",)))):
            for field in ("AddressPrefix", "AddressPrefixes"):
                held["properties"].pop(side + field, None)
            group = draw(st.sampled_from(("web", "other")))
            held["properties"][f"{side}ApplicationSecurityGroups"] = [{"id": estates.asg_id(group)}]
        made.append(held)
    return made


def group(name: str, direction: str) -> st.SearchStrategy[Row | None]:
    return st.none() | rules(direction).map(lambda held: estates.nsg(name, *held))


@st.composite
def table(draw: Draw, name: str) -> Row | None:
    if draw(st.booleans()):
        return None
    made = []
    for place, prefix in enumerate(draw(st.lists(st.sampled_from(ROUTES), max_size=3, unique=True))):
        hop = draw(st.sampled_from(HOPS))
        made.append(estates.route(f"to-{place}", prefix, hop, "10.1.9.9" if hop == "VirtualAppliance" else None))
    held = estates.route_table(name, *made)
    return held | {"id": estates.route_table_id(name), "name": name}


@st.composite
def link(draw: Draw, to: str, space: str, local: str, remote: str) -> Row | None:
    """A half of a peering: mostly sound; now and then absent, of another state, out of sync, closed, of some subnets."""
    odd = draw(st.sampled_from(("", "", "", "", "", "", "absent", "state", "sync", "closed", "closed", "subnets")))
    if odd == "absent":
        return None
    fields: dict[str, Any] = {"space": [space]}
    if odd == "state":
        fields["state"] = draw(st.sampled_from(("Initiated", "Disconnected")))
    elif odd == "sync":
        fields["space"] = draw(st.sampled_from(([], ["10.9.0.0/16"], [space.replace(".0.0/16", ".0.0/23")])))
    elif odd == "closed":
        fields["allowVirtualNetworkAccess"] = False
    elif odd == "subnets":
        fields |= {
            "peerCompleteVnets": False,
            "localSubnetNames": draw(st.sampled_from(([local], [local.upper(), "x"], ["x"]))),
            "remoteSubnetNames": draw(st.sampled_from(([remote], ["x"]))),
            "enableOnlyIPv6Peering": draw(st.sampled_from((False, False, True))),
        }
    return estates.peering(to, **fields)


@st.composite
def admin(draw: Draw, network: str) -> list[Row]:
    if draw(st.integers(0, 2)):
        return []
    made = []
    for priority in draw(st.lists(st.integers(1, 30), min_size=1, max_size=3, unique=True)):
        source = draw(st.sampled_from(("*", "VirtualNetwork", "Internet", *PIECES)))
        access = draw(st.sampled_from(("Allow", "Deny", "AlwaysAllow")))
        held = estates.admin_rule(f"a{priority}", priority, access, source=source, ports=draw(st.sampled_from((["22"], ["3389"], ["0-65535"], ["20-30", "3389"]))))  # fmt: skip
        held["properties"]["protocol"] = draw(st.sampled_from(("Tcp", "Tcp", "Any", "Udp")))
        held["properties"]["sourcePortRanges"] = draw(st.sampled_from((["0-65535"], ["0-65535"], ["1024-65535"])))
        held["properties"]["direction"] = draw(st.sampled_from(("Inbound", "Inbound", "Inbound", "Outbound")))
        made.append(held)
    intent = draw(st.sampled_from((["None"], ["None"], ["All"], ["AllowRulesOnly"])))
    return estates.security_admin(network, *made, applyOnNetworkIntentPolicyBasedServices=intent)


def _named(row: Row | None) -> str | None:
    return None if row is None else str(row["name"])


@st.composite
def flows(draw: Draw) -> Flow:
    """One Bastion in VNet `hub`, VM `web` there or in VNet `spoke`, and all that may stand between them."""
    sku = draw(st.sampled_from(SKUS))
    same = sku == "Developer" or draw(st.integers(0, 2)) == 0
    base = draw(st.sampled_from(HUBS))
    hub_space = f"{base}.0.0/16"
    prefix = f"{base}.{draw(st.sampled_from(BASTION_PREFIXES))}"
    outbound, on_subnet, on_nic = draw(group("out", "Outbound")), draw(group("in", "Inbound")), draw(group("nic", "Inbound"))  # fmt: skip
    there, here = draw(table("there")), draw(table("here"))
    bastion_subnet = estates.subnet("AzureBastionSubnet", prefix, nsg=_named(outbound), route_table=_named(here))
    home, address = ("hub", f"{base}.2.4") if same else ("spoke", SPOKE_ADDRESS)
    workload = estates.subnet("workload", f"{base}.2.0/24" if same else "10.1.2.0/24", nsg=_named(on_subnet), route_table=_named(there))  # fmt: skip
    if draw(st.integers(0, 3)) == 0:
        services = ("Microsoft.Sql/managedInstances", "Microsoft.Databricks/workspaces", "Microsoft.Web/serverFarms")
        workload["properties"]["delegations"] = [
            {"name": "d", "properties": {"serviceName": draw(st.sampled_from(services))}}
        ]
    to, back = draw(link("spoke", SPOKE, "AzureBastionSubnet", "workload")), draw(link("hub", hub_space, "workload", "AzureBastionSubnet"))  # fmt: skip
    hub_links, spoke_links = [one for one in (to,) if one], [one for one in (back,) if one]
    third = draw(st.sampled_from((None, None, "hub", "spoke", "both")))
    for name, links in (("hub", hub_links), ("spoke", spoke_links)):
        if third in (name, "both"):
            links.append(estates.peering("third", space=[THIRD]))
    held = [bastion_subnet, workload] if same else [bastion_subnet]
    asgs = draw(st.sampled_from(([], ["web"])))
    rows = [
        estates.vnet("hub", hub_space, subnets=held, peerings=[] if same else hub_links),
        estates.public_ip("bas-ip"),
        estates.bastion("bas", "hub", sku=sku),
        estates.nic("web-nic", home, "workload", address, nsg=_named(on_nic), asgs=asgs),
        estates.vm("web"),
        *(row for row in (outbound, on_subnet, on_nic, there, here) if row is not None),
        *draw(admin(home)),
    ]
    if not same:
        rows.append(estates.vnet("spoke", SPOKE, subnets=[workload], peerings=spoke_links))
        back_links = [estates.peering(name, space=[hub_space if name == "hub" else SPOKE]) for name in ("hub", "spoke") if third in (name, "both")]  # fmt: skip
        rows.append(estates.vnet("third", THIRD, peerings=back_links))
    return Flow(rows, draw(st.sampled_from((22, 22, 3389))))

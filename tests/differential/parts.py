"""Parts of estates made at random: each function makes one of a kind, mostly sound, now and then odd.

``pool`` makes many of them once, the simplest first, so that an estate is a few choices, quick to draw and to shrink.
"""

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, TypeVar

from tests.support import estates
from tests.support.estates import DELETE, Estate, Row

T = TypeVar("T")
SPOKE, THIRD = "10.1.0.0/16", "10.7.0.0/16"
OTHER_TENANT = "00000000-0000-0000-0000-0000000000ff"
CONFIGURATION = "properties.ipConfigurations.0.properties"
WEB = estates.vm_id("web")
PIECES = (
    "10.0.1.0/26", "10.0.1.0/27", "10.0.1.32/27", "10.0.1.8/29", "10.0.1.64/28", "10.0.1.64/29", "10.0.1.72/29", "10.0.1.4",
    "10.0.1.0/30", "10.0.1.63/32", "10.0.0.0/16", "10.0.0.0/15", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.0.2.0/24",
    "10.0.2.4", "10.1.2.4/32", "10.1.2.128/25", "10.7.0.0/16", "20.0.0.0/8", "20.0.0.0/16", "20.0.1.0/26", "20.0.1.32/27",
    "20.0.1.64/29", "20.0.2.4", "0.0.0.0/0", "168.63.129.16", "168.63.129.0/24",
)  # fmt: skip
TAGS = (
    "*", "*", "VirtualNetwork", "VirtualNetwork", "Internet", "AzureLoadBalancer", "AzureCloud", "GatewayManager",
    "Storage.WestEurope", "virtualnetwork", "NobodyKnows",
)  # fmt: skip
PORTS = (
    "*",
    "22",
    "3389",
    "20-30",
    "0-65535",
    ["22", "3389"],
    ["80", "20-21", "23-65535"],
    "443",
    "8080",
    ["443", "80"],
)
AS_BEFORE = -1
"""A priority that is that of the rule before."""
UNREADABLE: tuple[Row, ...] = (
    {"access": "?"},
    {"access": None},
    {"direction": None},
    {"priority": "soon"},
    {"sourcePortRange": "x", "sourcePortRanges": []},
    {"sourcePortRange": None, "sourcePortRanges": None},
    {"destinationPortRange": 22, "destinationPortRanges": [None, "80"]},
    {"destinationPortRange": "80", "destinationPortRanges": [22, 3389]},
    {"destinationPortRange": "30-20", "destinationPortRanges": "443"},
    {"sourceAddressPrefix": None, "sourceAddressPrefixes": [None, "10.9.0.0/16"]},
    {"destinationAddressPrefix": "10.9.0.0/16", "destinationAddressPrefixes": {"x": 1}},
    {"sourceApplicationSecurityGroups": "web"},
    {"destinationApplicationSecurityGroups": [{"id": 5}]},
)
"""What of a rule cannot be read, or is stated in another form than Azure's."""
SOURCE_PORTS = ("*", "*", "*", "*", "*", "0-65535", "1024-65535", ["0-1023", "1024-65535"], "443")
ROUTES = (
    "0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/15", "10.0.0.0/16", "10.0.0.0/17", "10.0.1.0/24", "10.0.1.0/26", "10.0.1.32/27",
    "10.0.1.64/28", "10.0.1.0/30", "10.1.0.0/16", "10.1.2.0/24", "20.0.0.0/16", "20.0.1.0/26", "20.0.1.32/27", "0.0.0.0/1",
)  # fmt: skip
HOPS = ("VirtualAppliance", "VirtualNetworkGateway", "VnetLocal", "Internet", "None")


def pool(make: Callable[[Random], T], size: int = 1000) -> list[T]:
    """Many of a kind, the same in each run, the shortest first."""
    return sorted((make(Random(place)) for place in range(size)), key=lambda one: len(json.dumps(one)))


def rarely(random: Random, chance: float, *oddities: Any) -> Any:
    """One of the oddities with that chance, else None."""
    return random.choice(oddities) if random.random() < chance else None


def rule(random: Random) -> Row:
    """A security rule; its place in its list gives it a priority."""

    def addresses() -> str | list[str]:
        if random.random() < 0.25:
            return random.sample(PIECES, random.choice((2, 3)))
        return random.choice((*TAGS, *PIECES)) if random.random() < 0.98 else "10.0.0.0/33"

    held = estates.rule(
        "rule",
        100,
        random.choice(("Allow", "Deny")),
        direction=random.choice(("Inbound", "Inbound", "Outbound")),
        source=addresses(),
        destination=addresses() if random.random() < 0.6 else "*",
        ports=random.choice(PORTS) if random.random() < 0.98 else "many",
        source_ports=random.choice(SOURCE_PORTS),
        protocol=random.choice(("Tcp", "*", "*", "Udp")) if random.random() < 0.98 else "Wireguard",
    )
    side = rarely(random, 0.25, "source", "destination")
    if side is not None:
        for name in ("AddressPrefix", "AddressPrefixes"):
            held["properties"].pop(side + name, None)
        held["properties"][f"{side}ApplicationSecurityGroups"] = [
            {"id": estates.asg_id(random.choice(("web", "other")))}
        ]
    if random.random() < 0.02:
        held["name"] = "JITRule"
    held["properties"] |= rarely(random, 0.04, *UNREADABLE, {"priority": AS_BEFORE}) or {}
    return held


def numbered(rules: list[Row], first: int) -> list[Row]:
    """The rules with priorities and names by their place."""
    return [
        {"name": f"{one['name']}-{place}", "properties": {**one["properties"], "priority": _placed(one, place)}}
        for place, one in enumerate(rules, start=first)
    ]


def _placed(one: Row, place: int) -> Any:
    stated = one["properties"]["priority"]
    return stated if isinstance(stated, str) else place - 1 if stated == AS_BEFORE else place


def bastion_rules(random: Random) -> list[Row]:
    """Azure's eight rules, or less, or wider ones; nothing at all for a group of other rules alone."""
    kind = random.choice(("eight", "eight", "less", "wide", "none"))
    if kind == "none":
        return []
    held = estates.bastion_rules(sessions=random.choice((100, 300)))
    if kind == "less":
        held = random.sample(held, random.randrange(8))
    if kind == "wide":
        source = random.choice(("*", "Internet", "0.0.0.0/0", "VirtualNetwork", "GatewayManager", "10.0.0.0/8"))
        held = [estates.rule("in", 400, "Allow", ports=random.choice(("*", "443")), source=source), *held[4:]]
    return held


def routes(random: Random) -> list[Row]:
    """Up to three routes of a machine's subnet."""
    made = []
    for place, prefix in enumerate(random.sample(ROUTES, random.randrange(4))):
        hop = rarely(random, 0.03, "", "Hyper") or random.choice(HOPS)
        made.append(estates.route(f"to-{place}", prefix, hop, "10.1.9.9" if hop == "VirtualAppliance" else None))
    odd = rarely(random, 0.08, "10.0.0.0/33", "::/0", "AzureCloud", "192.168.0.0/16")
    hop = random.choice(("Internet", "None", "VnetLocal", ""))
    return made if odd is None else [*made, estates.route("odd", odd, hop)]


def bastion_routes(random: Random) -> list[Row]:
    """Routes of AzureBastionSubnet: mostly a default route with something beside it."""
    if random.random() < 0.3:
        return routes(random)
    made = [estates.route("all", "0.0.0.0/0", random.choice(("Internet", "Internet", "Internet", "VirtualAppliance")))]
    odd = rarely(
        random,
        0.5,
        "AzureCloud",
        "10.0.0.0/33",
        "::/0",
        "10.1.0.0/16",
        "20.0.0.0/8",
        "128.0.0.0/1",
        "192.168.0.0/16",
        "168.63.129.16/32",
    )
    hop = random.choice(("Internet", "VirtualAppliance", "VirtualNetworkGateway", "None", "VnetLocal", "Hyper"))
    return made if odd is None else [*made, estates.route("odd", odd, hop)]


def link(random: Random) -> Row:
    """What is special about a half of a peering, by the fields that ``linked`` takes; nothing mostly."""
    odd = rarely(random, 0.5, "absent", "state", "sync", "closed", "closed", "subnets", "unread")
    fields: dict[str, Any] = {}
    if odd == "absent":
        return {"absent": True}
    if odd == "state":
        fields["state"] = random.choice(("Initiated", "Disconnected", "Disconnected", "Wondering"))
    elif odd == "sync":
        fields["space"] = random.choice(([], ["10.9.0.0/16"], ["half"], ["10.0.0.0/33"], ["half", "10.0.0.0/33"]))
    elif odd == "closed":
        fields["allowVirtualNetworkAccess"] = False
    elif odd == "unread":
        fields["remoteAddressSpace"] = None
    elif odd == "subnets":
        fields |= {
            "peerCompleteVnets": False,
            "localSubnetNames": random.choice((["local"], ["local"], ["LOCAL", "x"], ["x"])),
            "remoteSubnetNames": random.choice((["remote"], ["remote"], ["x"])),
            "enableOnlyIPv6Peering": random.random() < 0.3,
        }
    if random.random() < 0.3:
        fields |= {"useRemoteGateways": random.random() < 0.6, "allowGatewayTransit": random.random() < 0.6}
    return fields


def linked(fields: Row, to: str, space: str, local: str, remote: str) -> list[Row]:
    """The half of a peering, none where it is absent."""
    if fields.get("absent"):
        return []
    names = {"local": local, "remote": remote, "LOCAL": local.upper()}
    held = dict(fields)
    for name in ("localSubnetNames", "remoteSubnetNames"):
        if name in held:
            held[name] = [names.get(one, one) for one in held[name]]
    known = [space.replace(".0.0/16", ".0.0/23") if one == "half" else one for one in held.pop("space", [space])]
    return [estates.peering(to, space=known, **held)]


def admin(random: Random) -> Row:
    """Security admin rules and how their configuration applies."""
    made = []
    for priority in random.sample(range(1, 31), random.randrange(1, 4)):
        source = random.choice((*["*", "VirtualNetwork", "Internet", "NobodyKnows"] * 3, *PIECES))
        access = random.choice(("Allow", "Deny", "AlwaysAllow", "AlwaysAllow"))
        ports = random.choice((["22"], ["3389"], ["0-65535"], ["20-30", "3389"]))
        held = estates.admin_rule(f"a{priority}", priority, access, source=source, ports=ports)
        held["properties"]["protocol"] = random.choice(("Tcp", "Tcp", "Any", "Udp"))
        held["properties"]["sourcePortRanges"] = random.choice((["0-65535"], ["0-65535"], ["1024-65535"]))
        held["properties"]["direction"] = random.choice(("Inbound", "Inbound", "Inbound", "Outbound"))
        if random.random() < 0.3:
            held["properties"]["destinations"] = [
                {"addressPrefix": random.choice(PIECES), "addressPrefixType": "IPPrefix"}
            ]
        made.append(held)
    intent = random.choice((["None"], ["None"], ["All"], ["AllowRulesOnly"]))
    return {"rules": made, "applyOnNetworkIntentPolicyBasedServices": intent}


def bastion(random: Random) -> Estate:
    """A Bastion `bas` in VNet `hub` with its public IP, now and then faulty."""
    sku = random.choice(("Standard", "Standard", "Premium", "Basic", "Developer"))
    flags = ("enableIpConnect", "enableTunneling", "enableShareableLink")
    features: dict[str, Any] = {one: random.random() < 0.5 for one in flags}
    if sku == "Premium":
        features |= {one: random.random() < 0.5 for one in ("enablePrivateOnlyBastion", "enableSessionRecording")}
    features["scaleUnits"] = random.choice((2, 3, 50))
    held = [estates.public_ip("bas-ip"), estates.bastion("bas", "hub", sku=sku, **features)]
    faults = (
        ("bas", "properties.provisioningState", rarely(random, 0.12, "Updating", "Creating", "Failed", "Failed", "Deleting", "Canceled", DELETE)),
        ("bas", "properties.dnsName", rarely(random, 0.1, DELETE)),
        ("bas", "sku.name", rarely(random, 0.03, "Ultra", "standard")),
        ("bas", "tenantId", rarely(random, 0.03, OTHER_TENANT)),
        ("bas", "location", rarely(random, 0.08, "northeurope", "West Europe")),
        ("bas-ip", "sku.name", rarely(random, 0.04, "Basic", DELETE)),
        ("bas-ip", "location", rarely(random, 0.02, "northeurope")),
        ("bas-ip", "properties.publicIPAllocationMethod", rarely(random, 0.03, "Dynamic", DELETE)),
        ("bas-ip", "properties.publicIPAddressVersion", rarely(random, 0.02, "IPv6")),
    )  # fmt: skip
    for name, path, value in faults:
        held = held if value is None else estates.change(held, name, path, value)
    lost = rarely(random, 0.04, "publicIPAddress", "subnet")
    if lost is not None and sku != "Developer":
        held = estates.change(held, "bas", f"{CONFIGURATION}.{lost}", None)
    unread = rarely(random, 0.05, "all", "place", "reference", "configuration")
    return held if unread is None else estates.change(held, "bas", *_unread_bastion(random, unread, sku))


def _unread_bastion(random: Random, what: str, sku: str) -> tuple[str, Any]:
    """A field of a Bastion, and what stands there that tells nothing."""
    if what == "all":
        return "properties", random.choice((None, {}))
    if sku == "Developer":
        return "properties.virtualNetwork", random.choice((None, {}, {"id": 5}))
    if what == "place":
        return "properties.ipConfigurations", random.choice((None, [], [None], [{"name": "one"}]))
    if what == "reference":
        return f"{CONFIGURATION}.{random.choice(('subnet', 'publicIPAddress'))}", random.choice(({}, "x", {"id": None}))
    return "properties.ipConfigurations.0", {"properties": {}}


def bastion_subnet(random: Random) -> Row:
    """Name, prefix below the network's, and what else lies in AzureBastionSubnet."""
    return {
        "name": rarely(random, 0.03, "azurebastionsubnet") or "AzureBastionSubnet",
        "prefix": random.choice(("1.0/26", "1.0/26", "1.0/27", "1.64/28")),
        "stray": random.random() < 0.06,
        "silent": random.random() < 0.02,
        "further": rarely(random, 0.1, "1.64/26", "1.32/27", "5.0/26", "5.0/99"),
    }


def machine(random: Random) -> Estate:
    """Running machine `web` in subnet `workload` of VNet `home` with address `address`, now and then odd."""
    system = random.choice(("Linux", "Linux", "Windows"))
    power = random.choice((*["running"] * 9, "deallocated", "stopped", None))
    held = [
        estates.nic("web-nic", "home", "workload", "address", asgs=random.choice(([], ["web"]))),
        estates.vm("web", os=system, power=power),
    ]
    odd = rarely(
        random,
        0.2,
        ("web", "properties.networkProfile", DELETE),
        ("web", "properties.networkProfile.networkInterfaces", []),
        ("web", "properties.storageProfile.osDisk", {}),
        ("web", "properties.storageProfile.imageReference", {"sku": "win11-22h2-avd"}),
        ("web", "tags", {"cm-resource-parent": "/subscriptions/x/hostpools/pool"}),
        ("web", "tenantId", OTHER_TENANT),
        ("web-nic", f"{CONFIGURATION}.privateIPAddress", DELETE),
        ("web-nic", f"{CONFIGURATION}.privateIPAddress", "10.1.2.999"),
        ("web-nic", f"{CONFIGURATION}.privateIPAddressVersion", "IPv6"),
        ("web-nic", f"{CONFIGURATION}.subnet", DELETE),
        ("web-nic", "properties.ipConfigurations", DELETE),
        ("web-nic", "properties.ipConfigurations", []),
        ("web-nic", "properties.ipConfigurations", [{"name": "one"}]),
        ("web", "properties.networkProfile.networkInterfaces", [{"id": None}]),
        ("web-nic", "properties.networkSecurityGroup", {}),
    )
    held = held if odd is None else estates.change(held, *odd)
    if random.random() < 0.05:
        held[0]["properties"]["ipConfigurations"] = [*_configurations(random, held[0])]
    if random.random() < 0.05:
        ids = [estates.nic_id(name) for name in ("second-nic", "web-nic")]
        marked = random.choice(((0,), (1,), (), (0, 1)))
        listed = [{"id": one, "properties": {"primary": place in marked}} for place, one in enumerate(ids)]
        second = estates.nic("second-nic", "home", "workload", "10.1.2.9")
        held = [*estates.change(held, "web", "properties.networkProfile.networkInterfaces", listed), second]
        for one in (held[0], second):
            one["properties"]["primary"] = random.random() < 0.5
    return held


def _configurations(random: Random, nic: Row) -> Iterator[Row]:
    """Two configurations, of which one may be IPv6, and none or both may be marked as primary."""
    for one in nic["properties"].get("ipConfigurations") or ():
        for address in random.choice((("address", "10.1.2.7"), ("fd00::4", "address"))):
            held = {**one["properties"], "privateIPAddress": address, "primary": random.choice((True, False))}
            yield {**one, "name": address, "properties": held}


def gateways(random: Random) -> Estate:
    """Gateways of the hub, the spoke or the third network, with the sites that they are connected to."""
    rows: Estate = []
    places = random.choice((("hub",), ("spoke",), ("hub", "spoke"), ("third",), ("hub", "third")))
    sites = (None, ["10.1.0.0/16"], ["10.0.0.0/8"], ["0.0.0.0/0"], ["0.0.0.0/1", "128.0.0.0/1"], ["192.168.7.0/24"], ["10.0.1.0/25"], ["20.0.0.0/8"], ["10.1.0.0/99"], ["0.0.0.0/0", "10.1.0.0/16"], ["0.0.0.0/1", "10.0.0.0/8", "128.0.0.0/1"])  # fmt: skip
    for network in places:
        rows.append(estates.gateway(f"gw-{network}", network))
        prefixes = random.choice(sites)
        if prefixes is not None:
            connected = estates.site(f"site-{network}", f"gw-{network}", *prefixes)
            rows += connected[1:] if rarely(random, 0.1, "lost") else connected
    if len(places) > 1 and random.random() < 0.5:
        ids = [estates.resource_id("Microsoft.Network/virtualNetworkGateways", f"gw-{one}") for one in places]
        ends = {f"virtualNetworkGateway{place}": estates.ref(one) for place, one in enumerate(ids, start=1)}
        rows.append(estates.row(estates.resource_id("Microsoft.Network/connections", "both"), ends))
    return rows


def wans(random: Random) -> Estate:
    """Virtual WAN hubs that the hub, the spoke and the third network are connected to."""
    rows = [estates.hub("east", "one")]
    wan = random.choice(("one", "one", "other", None))
    if wan is not None:
        rows.append(estates.hub("west", wan))
    for network in ("hub", "spoke", "third"):
        to = random.choice(("east", "east", "west", None))
        if to is None:
            continue
        options: dict[str, Any] = {"enableInternetSecurity": random.random() < 0.3}
        labels = random.choice((None, None, None, ["none"], ["default"], ["shared"]))
        if labels is not None:
            table = estates.ref(f"{estates.hub_id(to)}/hubRouteTables/defaultRouteTable")
            tables: Row = {"labels": labels, "ids": [table] if labels == ["shared"] else []}
            options["routingConfiguration"] = {"propagatedRouteTables": tables}
            associated = rarely(random, 0.3, "custom", "noneRouteTable")
            if associated is not None:
                table = estates.ref(f"{estates.hub_id(to)}/hubRouteTables/{associated}")
                options["routingConfiguration"]["associatedRouteTable"] = table
        options |= rarely(random, 0.05, {"remoteVirtualNetwork": None}) or {}
        rows.append(estates.hub_connection(to, network, **options))
    held = random.choice((None, None, (), ("0.0.0.0/0",), ("10.1.0.0/16",), ("10.0.0.0/8",)))
    if held is not None:
        rows.append(estates.hub_route_table("east", "defaultRouteTable", routes=held))
    intent = random.choice((None, None, None, ("Internet",), ("PrivateTraffic",), ("Internet", "PrivateTraffic")))
    return rows if intent is None else [*rows, estates.routing_intent("east", *intent)]


def just_in_time(random: Random) -> Estate:
    """Just-in-time policies on machine `web` or another, with the requests that were made."""
    if random.random() < 0.2:
        one, other = _policy(random), _policy(random)
        return [one, other | {"id": f"{other['id']}-2", "name": "default-2"}]
    return [_policy(random)]


def _policy(random: Random) -> Row:
    kind = random.choice(("other", "covers", "all", "asked", "granted"))
    policy = estates.jit_policy("other" if kind == "other" else "web")
    if kind == "all":
        policy["properties"]["virtualMachines"][0]["ports"] = []
    if kind in {"asked", "granted"}:
        allowed = random.choice(("*", "10.0.1.0/25", "10.0.1.0/28", "203.0.113.7"))
        status = "Initiated" if kind == "granted" else "Revoked"
        named: Row = {"allowedSourceAddressPrefix": allowed}
        if random.random() < 0.2:
            named = {"allowedSourceAddressPrefixes": ["203.0.113.7", allowed]}
        port = {"number": random.choice((22, 3389)), "status": status} | named
        policy["properties"]["requests"] = [{"virtualMachines": [{"id": WEB, "ports": [port]}]}]
    return policy


def oddity(random: Random) -> tuple[str, Any] | None:
    """What is odd about a network."""
    found: tuple[str, Any] | None = rarely(
        random,
        0.3,
        ("tenantId", OTHER_TENANT),
        ("tenantId", None),
        ("location", "northeurope"),
        ("location", "West Europe"),
        ("properties.encryption", {"enabled": True, "enforcement": "DropUnencrypted"}),
        ("properties.encryption", {"enabled": True, "enforcement": "AllowUnencrypted"}),
        ("properties.addressSpace", None),
        ("properties.subnets", None),
        ("properties.virtualNetworkPeerings", None),
        ("properties.virtualNetworkPeerings", [None]),
        ("properties.addressSpace.addressPrefixes", ["10.0.0.0/16", "10.300.0.0/16"]),
    )
    return found

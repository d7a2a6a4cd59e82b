"""Estates made at random, with everything in them that a verdict may hang on."""

from random import Random
from typing import Any

from tests.support.estates import (
    Estate,
    Row,
    admin_rule,
    asg_id,
    bastion,
    bastion_rules,
    gateway,
    hub,
    hub_connection,
    nic,
    nsg,
    peering,
    private_zone_link,
    public_ip,
    route,
    route_table,
    rule,
    scale_set,
    security_admin,
    site,
    subnet,
    vm,
    vnet,
)

PREFIXES = ["*", "10.0.0.0/8", "10.1.0.0/16", "10.1.1.0/26", "10.1.1.0/27", "10.2.2.0/24", "10.2.2.5", "10.3.0.0/16"]
TAGS = ["VirtualNetwork", "Internet", "AzureLoadBalancer", "AzureCloud", "Storage.WestEurope", "NobodyKnows"]
HOPS = ["VirtualAppliance", "VirtualNetworkGateway", "VnetLocal", "Internet", "None"]
STATES = ["Connected"] * 6 + ["Initiated", "Disconnected"]
SKUS = ["Developer", "Basic", "Standard", "Standard", "Premium"]


def some_rules(random: Random, count: int) -> list[Row]:
    """Rules of all kinds; now and then for an application security group or for some source ports."""
    made = []
    for priority in random.sample(range(100, 200), random.randrange(count)):
        fields: dict[str, Any] = {"direction": random.choice(["Inbound", "Inbound", "Outbound"])}
        fields["source"] = random.choice([*PREFIXES, *TAGS, random.sample(PREFIXES, 2)])
        fields["destination"] = random.choice(["*", "*", *PREFIXES, *TAGS])
        fields["ports"] = random.choice(["*", "22", "3389", ["22", "3389"], "443", "20-30"])
        fields["source_ports"] = random.choice(["*"] * 9 + ["1024-4096"])
        held = rule(f"r{priority}", priority, random.choice(["Allow", "Deny"]), **fields)
        if random.random() < 0.1:
            del held["properties"]["destinationAddressPrefix"]
            held["properties"]["destinationApplicationSecurityGroups"] = [{"id": asg_id(random.choice("ab"))}]
        made.append(held)
    return made


def some_routes(random: Random) -> list[Row]:
    prefixes = random.sample(
        ["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.1.0/26", "10.2.0.0/16", "10.1.1.32/28"], 2
    )
    return [route(f"to-{place}", prefix, random.choice(HOPS)) for place, prefix in enumerate(prefixes)]


def some_links(random: Random, own: int, networks: int) -> list[Row]:
    links = []
    for other in range(1, networks + 1):
        if other == own or random.random() < 0.4:
            continue
        space = [f"10.{other}.0.0/16"] if random.random() < 0.9 else [f"10.{other}.1.0/24"]
        flags: dict[str, Any] = {"allowVirtualNetworkAccess": random.random() < 0.8}
        if random.random() < 0.1:
            flags |= {
                "peerCompleteVnets": False,
                "localSubnetNames": ["AzureBastionSubnet", "w"],
                "remoteSubnetNames": ["w"],
            }
        name = "RemoteVnetToHubPeering_1" if random.random() < 0.05 else None
        target = "HV_east" if name else f"v{other}"
        links.append(peering(target, space=space, state=random.choice(STATES), name=name, **flags))
    return links


def some_network(random: Random, own: int, networks: int) -> Estate:
    def group() -> str | None:
        return random.choice([None, "g0", "g1", "g2"])

    def table() -> str | None:
        return random.choice([None, None, "t0", "t1"])

    held = [subnet("w", f"10.{own}.2.0/24", nsg=group(), route_table=table())]
    rows: Estate = []
    if random.random() < 0.6:
        bastion_group = random.choice([None, "gb", "g0"])
        held.append(
            subnet(
                "AzureBastionSubnet",
                f"10.{own}.1.0/26",
                nsg=bastion_group,
                route_table=random.choice([None, None, "t0"]),
            )
        )
        features: dict[str, Any] = {
            name: random.random() < 0.7 for name in ("enableIpConnect", "enableTunneling", "enableShareableLink")
        }
        rows += [public_ip(f"b{own}-ip"), bastion(f"b{own}", f"v{own}", sku=random.choice(SKUS), **features)]
    location = random.choice(["westeurope", "northeurope"])
    rows.append(
        vnet(f"v{own}", f"10.{own}.0.0/16", subnets=held, peerings=some_links(random, own, networks), location=location)
    )
    for place in range(3):
        name = f"m{own}-{place}"
        rows.append(
            nic(
                f"{name}-nic",
                f"v{own}",
                "w",
                f"10.{own}.2.{4 + place}",
                nsg=group(),
                asgs=random.sample("ab", random.randrange(2)),
            )
        )
        rows.append(
            vm(
                name,
                os=random.choice(["Linux", "Windows"]),
                power=random.choice(["running", "running", "stopped", None]),
            )
        )
    if random.random() < 0.3:
        rows += [hub_connection("east", f"v{own}", enableInternetSecurity=random.random() < 0.3)]
    if random.random() < 0.15:
        rows += security_admin(f"v{own}", *(admin_rule(f"a{one}", one, random.choice(["Allow", "Deny", "AlwaysAllow"]), source=random.choice([*PREFIXES, "VirtualNetwork"])) for one in random.sample(range(1, 50), 2)))  # fmt: skip
    if random.random() < 0.15:
        rows += [
            gateway(f"gw{own}", f"v{own}"),
            *site(f"site{own}", f"gw{own}", random.choice(["10.3.0.0/16", "0.0.0.0/0"])),
        ]
    if random.random() < 0.1:
        rows.append(private_zone_link("azure.com", f"v{own}"))
    if random.random() < 0.2:
        rows += scale_set(f"fleet{own}", f"v{own}", "w", nsg=group())
    return rows


def random_estate(seed: int) -> Estate:
    """An estate of up to five VNets; the same for the same seed. Some rows that others refer to are missing."""
    random = Random(seed)
    networks = random.randrange(1, 6)
    rows = [row for own in range(1, networks + 1) for row in some_network(random, own, networks)]
    rows += [nsg(f"g{one}", *some_rules(random, 6)) for one in range(3)]
    rows += [nsg("gb", *bastion_rules(sessions=random.choice([100, 300])), *some_rules(random, 2))]
    rows += [route_table(f"t{one}", *some_routes(random), propagates_bgp=random.random() < 0.7) for one in range(2)]
    rows.append(hub("east"))
    return [row for row in rows if random.random() > 0.02]

"""Estates of all that a verdict may hang on, as hypothesis makes and shrinks them, and what is asked about them."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.differential import parts
from tests.differential.parts import SPOKE, THIRD, WEB, pool
from tests.support import estates
from tests.support.estates import Estate, Row
from tests.support.network_groups import network_groups

INSTANCE = estates.resource_id("Microsoft.Compute/virtualMachineScaleSets", "fleet") + "/virtualMachines/0"
BAS, NEAR, ABSENT = estates.bastion_id("bas"), estates.bastion_id("near"), estates.bastion_id("absent")
HUBS = ("10.0", "10.0", "10.0", "20.0")
"""How the hub's addresses begin: private ones, and public ones of somebody's own."""
OWN_SPACE = {"spoke": "10.1.3.0/26", "third": "10.7.1.0/26"}
HELD_BY_HUB = "/subscriptions/ms/resourceGroups/ms/providers/Microsoft.Network/virtualNetworks/HV_east"

RULES = st.lists(st.sampled_from(pool(parts.rule, 3000)), max_size=5)
BASTION_RULES = st.sampled_from(pool(parts.bastion_rules, 200))
ROUTES = st.none() | st.sampled_from(pool(parts.routes))
BASTION_ROUTES = st.sampled_from([*[None] * 300, *pool(parts.bastion_routes, 200)])
UNREAD_TABLES = st.sampled_from([*[{}] * 50, {"routes": None}, {"disableBgpRoutePropagation": "maybe"}])
LINKS = st.sampled_from(pool(parts.link))
ADMIN = st.sampled_from([*[None] * 800, *pool(parts.admin, 400)])
BASTIONS = st.sampled_from(pool(parts.bastion))
BASTION_SUBNETS = st.sampled_from(pool(parts.bastion_subnet, 300))
MACHINES = st.sampled_from(pool(parts.machine))
WAYS = st.sampled_from([*[[]] * 500, *pool(parts.gateways, 150), *pool(parts.wans, 300)])
POLICIES = st.sampled_from([*[[]] * 20, *pool(parts.just_in_time, 100)])
ODDITIES = st.sampled_from(pool(parts.oddity, 200))
SETTINGS = st.integers(0, 2**32)


@dataclass(frozen=True)
class Question:
    """What is asked of a machine; `address`: the one that Bastion should use."""

    protocol: str
    port: int
    address: str | None = None


@dataclass(frozen=True)
class Asked:
    """An estate, what Azure refused to show of it, the sessions that Bastions carry, and what is asked of whom."""

    estate: Estate
    refused: tuple[str, ...] = ()
    sessions: dict[str, int] = field(default_factory=dict)
    questions: tuple[Question, ...] = (Question("SSH", 22), Question("RDP", 3389))
    machines: tuple[str, ...] = (WEB,)
    bastions: tuple[str, ...] = (BAS,)


def one_in(draw: st.DrawFn, chance: int) -> bool:
    return draw(st.integers(0, chance - 1)) == chance - 1


@st.composite
def asked(draw: st.DrawFn) -> Asked:
    """Bastion `bas` in VNet `hub`, machine `web` there or in `spoke`, and all that may stand between them."""
    base = draw(st.sampled_from(HUBS))
    space, same = {"hub": f"{base}.0.0/16", "spoke": SPOKE, "third": THIRD}, one_in(draw, 3)
    home, prefix = ("hub", f"{base}.2.0/24") if same else ("spoke", "10.1.2.0/24")
    rows: Estate = []
    subnets: dict[str, list[Row]] = {"hub": [_bastion_subnet(draw, base, rows)], "spoke": [], "third": []}
    workload = estates.subnet("workload", prefix, nsg=_group(draw, "in", rows), route_table=_table(draw, "there", rows))
    if one_in(draw, 12):
        service = draw(st.sampled_from(("Microsoft.Sql/managedInstances", "Microsoft.Web/serverFarms")))
        workload["properties"]["delegations"] = [{"name": "d", "properties": {"serviceName": service}}]
    _blurred(draw, workload)
    subnets[home].append(workload)
    second = draw(st.sampled_from((None, None, None, "spoke", "third", "hub")))
    if second in OWN_SPACE:
        subnets[second].append(estates.subnet("AzureBastionSubnet", OWN_SPACE[second]))
    rows += draw(BASTIONS)
    if second is not None:
        rows += _moved(draw(BASTIONS), {"bas": "near", "hub": second})
    nsg = _group(draw, "nic", rows)
    rows += _placed(draw(MACHINES), home, prefix.replace("0/24", "4"), nsg)
    fleet = one_in(draw, 6)
    if fleet:
        rows += estates.scale_set("fleet", home, "workload", nsg=nsg)
    rows += [*_networks(draw, space, subnets), *draw(WAYS), *draw(POLICIES)]
    if (admin := draw(ADMIN)) is not None:
        intent = admin["applyOnNetworkIntentPolicyBasedServices"]
        rows += estates.security_admin(home, *admin["rules"], applyOnNetworkIntentPolicyBasedServices=intent)
    rows += _connected(draw) if one_in(draw, 12) else []
    zone = draw(
        st.sampled_from((*[None] * 20, "azure.com", "Blob.core.windows.net", "privatelink.blob.core.windows.net"))
    )
    rows += [] if zone is None else [estates.private_zone_link(zone, "hub")]
    return _asked(draw, rows, fleet=fleet)


def _connected(draw: st.DrawFn) -> Estate:
    """A network manager's mesh, or its hub and spoke over groups that connect their members or do not."""
    if draw(st.booleans()):
        return estates.connected_group("hub", "spoke")
    members = {network: draw(st.sampled_from(("a", "b", None))) for network in ("hub", "spoke")}
    return network_groups(
        members, {"a": "DirectlyConnected", "b": draw(st.sampled_from(("DirectlyConnected", "None")))}
    )


def _bastion_subnet(draw: st.DrawFn, base: str, rows: Estate) -> Row:
    said = draw(BASTION_SUBNETS)
    nsg = None
    if draw(st.booleans()):
        nsg = "out"
        rows.append(estates.nsg(nsg, *parts.numbered(draw(RULES), 101), *draw(BASTION_RULES)))
    held = estates.subnet(said["name"], f"{base}.{said['prefix']}", nsg=nsg)
    if (routes := draw(BASTION_ROUTES)) is not None:
        held["properties"]["routeTable"] = estates.ref(estates.route_table_id("here"))
        rows.append(_routes(draw, "here", routes))
    if said["stray"]:
        held["properties"]["ipConfigurations"] = [estates.ref(f"{estates.nic_id('stray')}/ipConfigurations/one")]
    if said["silent"]:
        del held["properties"]["addressPrefix"]
    elif said["further"] is not None:
        held["properties"]["addressPrefixes"] = [f"{base}.{said[name]}" for name in ("prefix", "further")]
    _blurred(draw, held)
    return held


def _blurred(draw: st.DrawFn, subnet: Row) -> None:
    """Now and then what is on the subnet cannot be read."""
    if one_in(draw, 50):
        field = draw(st.sampled_from(("networkSecurityGroup", "routeTable")))
        subnet["properties"][field] = draw(st.sampled_from(({}, "x", {"id": 5})))


def _group(draw: st.DrawFn, name: str, rows: Estate) -> str | None:
    if draw(st.booleans()):
        return None
    rows.append(estates.nsg(name, *parts.numbered(draw(RULES), 100)))
    return name


def _table(draw: st.DrawFn, name: str, rows: Estate) -> str | None:
    routes = draw(ROUTES)
    if routes is None:
        return None
    rows.append(_routes(draw, name, routes))
    return name


def _routes(draw: st.DrawFn, name: str, routes: list[Row]) -> Row:
    table = estates.route_table(name, *routes, propagates_bgp=not one_in(draw, 4))
    table["properties"] |= draw(UNREAD_TABLES)
    return table


def _networks(draw: st.DrawFn, space: dict[str, str], subnets: dict[str, list[Row]]) -> Estate:
    links: dict[str, list[Row]] = {"hub": [], "spoke": [], "third": []}
    if not one_in(draw, 4):
        links["hub"] = parts.linked(draw(LINKS), "spoke", SPOKE, "AzureBastionSubnet", "workload")
        links["spoke"] = parts.linked(draw(LINKS), "hub", space["hub"], "workload", "AzureBastionSubnet")
    for name in draw(st.sampled_from(((), (), (), ("hub",), ("spoke",), ("hub", "spoke")))):
        links[name].append(estates.peering("third", space=[THIRD]))
        links["third"].append(estates.peering(name, space=[space[name]]))
    if one_in(draw, 12):
        held = estates.peering(HELD_BY_HUB, space=["10.250.0.0/23"], name="RemoteVnetToHubPeering_1")
        links[draw(st.sampled_from(("hub", "spoke")))].append(held)
    rows = [estates.vnet(one, space[one], subnets=subnets[one], peerings=links[one]) for one in space]
    odd = draw(ODDITIES)
    return rows if odd is None else estates.change(rows, draw(st.sampled_from(("hub", "spoke"))), *odd)


def _placed(machine: Estate, home: str, address: str, nsg: str | None) -> Estate:
    """The machine where it belongs, its NIC with that group."""
    rows = [row for row in _moved(machine, {"home": home, "address": address}) if row["name"] != "web-nic"]
    (nic,) = (row for row in _moved(machine, {"home": home, "address": address}) if row["name"] == "web-nic")
    if nsg is not None:
        nic["properties"]["networkSecurityGroup"] = estates.ref(estates.nsg_id(nsg))
    return [nic, *rows]


def _moved(value: Any, names: dict[str, str]) -> Any:
    """A copy with other names: of whole texts, and of segments of ids."""
    if isinstance(value, dict):
        return {key: _moved(held, names) for key, held in value.items()}
    if isinstance(value, list):
        return [_moved(held, names) for held in value]
    if not isinstance(value, str):
        return value
    known = names | {f"{old}-ip": f"{new}-ip" for old, new in names.items()}
    return "/".join(known.get(segment, segment) for segment in value.split("/"))


def _asked(draw: st.DrawFn, rows: Estate, *, fleet: bool) -> Asked:
    """What is asked, after some rows were lost or refused."""
    lost = draw(st.lists(st.sampled_from([str(row["id"]) for row in rows]), max_size=2)) if one_in(draw, 5) else []
    kept = [row for row in rows if row["id"] not in lost or row["id"] in {WEB, INSTANCE}]
    refused = tuple(lost) if draw(st.booleans()) else ()
    if one_in(draw, 100):
        kept = [row for row in kept if "/bastionHosts/" not in str(row["id"])]
    ports = draw(st.sampled_from(((22, 3389), (22, 3389), (22, 3389), (2222, 3389), (22, 22))))
    address = draw(st.sampled_from((*[None] * 30, "10.0.2.4", "10.1.2.9")))
    sessions = {BAS.lower(): draw(st.sampled_from((0, 0, 0, 0, 40, 90, 2500)))}
    here = {row["id"] for row in kept}
    bastions = tuple(one for one in (BAS, NEAR) if one in here) + ((ABSENT,) if one_in(draw, 30) else ())
    questions = tuple(Question(protocol, port, address) for protocol, port in zip(("SSH", "RDP"), ports, strict=True))
    return Asked(kept, refused, sessions, questions, (WEB, INSTANCE) if fleet else (WEB,), bastions)

"""What a picture of an estate shows: networks, the peerings between them, Bastions, and how many VMs are reached."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import chain

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.bastion_host import BastionHost
from bastion_operator.network.fields import region
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.peering import PairState, PeeringPair, pair_links
from bastion_operator.network.reachability import Reachability, Verdict
from bastion_operator.network.reachability.target import find_target
from bastion_operator.network.virtual_network import VirtualNetwork

_FEWEST_SPOKES = 2


class Role(StrEnum):
    """What a network is among the others."""

    HUB = "Hub"
    SPOKE = "Spoke"
    NETWORK = "Network"
    VIRTUAL_HUB = "VirtualHub"
    NOT_SHOWN = "NotShown"
    """A peering leads to it, and it is not in the data."""


@dataclass(frozen=True, slots=True)
class Bastion:
    """A Bastion as it is drawn in its network; ``state`` is Azure's provisioning state, or None."""

    id: str
    name: str
    sku: str
    state: str | None


@dataclass(frozen=True, slots=True)
class Machines:
    """Numbers of VMs of a network by verdict; of a VM of which only the power is off ``stopped``."""

    reachable: int = 0
    unreachable: int = 0
    unknown: int = 0
    stopped: int = 0

    @property
    def total(self) -> int:
        """All VMs of the network."""
        return self.reachable + self.unreachable + self.unknown + self.stopped


@dataclass(frozen=True, slots=True)
class Network:
    """A virtual network or a virtual WAN hub. ``key`` is its lower-cased id; ``id`` is as the input spells it."""

    id: str
    key: str
    name: str
    role: Role
    location: str | None = None
    prefixes: tuple[str, ...] = ()
    bastions: tuple[Bastion, ...] = ()
    machines: Machines = field(default_factory=Machines)


@dataclass(frozen=True, slots=True)
class Connection:
    """A peering of two networks, or a virtual hub's connection to one; ``one`` and ``other`` are keys.

    ``trouble`` says in words what is wrong with it, None where nothing is.
    """

    one: str
    other: str
    state: PairState
    trouble: str | None = None
    between_regions: bool = False


@dataclass(frozen=True, slots=True)
class Topology:
    """The picture as data: hubs first, then the rest, each by name and id; connections by the names of their ends."""

    networks: tuple[Network, ...]
    connections: tuple[Connection, ...]

    @property
    def by_key(self) -> Mapping[str, Network]:
        """Networks by key."""
        return {network.key: network for network in self.networks}

    @property
    def connections_of(self) -> Mapping[str, tuple[Connection, ...]]:
        """The connections of each network, by its key."""
        found: dict[str, list[Connection]] = {network.key: [] for network in self.networks}
        for connection in self.connections:
            for end in dict.fromkeys((connection.one, connection.other)):
                found[end].append(connection)
        return {key: tuple(each) for key, each in found.items()}

    @property
    def neighbours(self) -> Mapping[str, tuple[str, ...]]:
        """Keys of the networks at the other ends of a network's connections, in the order of the connections."""
        return {
            key: tuple(each.other if each.one == key else each.one for each in connections)
            for key, connections in self.connections_of.items()
        }


def draw_topology(inventory: Inventory, verdicts: Iterable[Verdict] = ()) -> Topology:
    """The picture of an estate; ``verdicts`` are counted in the networks of their VMs."""
    connections = [*_peerings(inventory), *_hub_connections(inventory)]
    counts = counted((network_of(inventory, verdict.vm), verdict) for verdict in verdicts)
    return arranged([*_networks(inventory, counts), *_virtual_hubs(inventory)], connections)


def arranged(networks: Iterable[Network], connections: Iterable[Connection]) -> Topology:
    """The picture of networks and what joins them: which are hubs and spokes, and all in their order.

    A network that only a connection names is added as not shown; the role of a virtual network is worked out.
    """
    listed, joined = list(networks), list(connections)
    degree: dict[str, set[str]] = defaultdict(set)
    for connection in joined:
        degree[connection.one].add(connection.other)
        degree[connection.other].add(connection.one)
    hubs = frozenset(key for key in degree if _is_hub(key, degree))
    gone = degree.keys() - {network.key for network in listed}
    ordered = sorted(
        chain((_with_role(each, degree, hubs) for each in listed), map(_not_shown, sorted(gone))),
        key=lambda network: (network.role not in {Role.HUB, Role.VIRTUAL_HUB}, network.name.lower(), network.key),
    )
    place = {network.key: number for number, network in enumerate(ordered)}
    turned = (each if place[each.one] < place[each.other] else _turned(each) for each in joined)
    return Topology(tuple(ordered), tuple(sorted(turned, key=lambda each: (place[each.one], place[each.other]))))


def network_of(inventory: Inventory, vm_id: str) -> str | None:
    """The key of the network in which a VM's primary address lies, None where the data does not say it."""
    vm = inventory.virtual_machine(vm_id)
    return None if vm is None else find_target(inventory, vm).network_key


def _turned(connection: Connection) -> Connection:
    return Connection(
        connection.other, connection.one, connection.state, connection.trouble, connection.between_regions
    )


def _is_hub(key: str, neighbours: Mapping[str, set[str]]) -> bool:
    """Two networks or more hang on it, and more than half of them on fewer than it does: so nobody is one in a mesh."""
    own = neighbours[key]
    smaller = sum(len(neighbours[other]) < len(own) for other in own)
    return len(own) >= _FEWEST_SPOKES and smaller * 2 > len(own)


def _peerings(inventory: Inventory) -> Iterable[Connection]:
    for key, others in sorted(inventory.neighbours.items()):
        for other in sorted(others):
            if key < other:
                yield _peering(inventory, key, other)


def _peering(inventory: Inventory, key: str, other_key: str) -> Connection:
    one, other = inventory.virtual_network(key), inventory.virtual_network(other_key)
    pair = pair_links(key, one.links if one else (), other_key, other.links if other else ())
    if one is None or other is None:
        gone = one.name if other is None and one is not None else other.name if other is not None else ""
        trouble = f"of this peering only the half in {gone} is in the data"
        return Connection(key, other_key, PairState.UNKNOWN, trouble)
    regions = {region(one.location), region(other.location)}
    return Connection(key, other_key, pair.state, _trouble(pair, one, other), len(regions) > 1 and None not in regions)


def _trouble(pair: PeeringPair, one: VirtualNetwork, other: VirtualNetwork) -> str | None:
    names = ((pair.near, one, other), (pair.far, other, one))
    match pair.state:
        case PairState.CONNECTED:
            behind = [holder.name for link, holder, _ in names if link is not None and link.out_of_sync]
            return f"address space not in sync: {' and '.join(behind)} must sync" if behind else None
        case PairState.DISCONNECTED:
            broken = [holder.name for link, holder, _ in names if link is not None and link.state == "Disconnected"]
            return f"the half in {' and in '.join(broken)} reads Disconnected: delete both halves and make them again"
        case PairState.ONE_SIDED:
            missing = [f"{holder.name} has no link to {remote.name}" for link, holder, remote in names if link is None]
            return missing[0] if missing else "one half still reads Initiated"
        case _:
            return "Azure does not say in which state it is"


def _hub_connections(inventory: Inventory) -> Iterable[Connection]:
    for network_key, connections in sorted(inventory.hub_connections.items()):
        for connection in connections:
            known = network_key in inventory.virtual_networks and connection.hub_key in inventory.virtual_hubs
            yield Connection(connection.hub_key, network_key, PairState.CONNECTED if known else PairState.UNKNOWN)


def _with_role(network: Network, neighbours: Mapping[str, set[str]], hubs: frozenset[str]) -> Network:
    if network.role is not Role.NETWORK:
        return network
    spoke = Role.SPOKE if hubs & neighbours.get(network.key, set()) else Role.NETWORK
    return replace(network, role=Role.HUB if network.key in hubs else spoke)


def _networks(inventory: Inventory, counts: Mapping[str, Machines]) -> Iterable[Network]:
    bastions: dict[str, list[BastionHost]] = defaultdict(list)
    for host in inventory.bastions.values():
        if host.virtual_network_id is not None:
            bastions[normalise_id(host.virtual_network_id)].append(host)
    for key, network in inventory.virtual_networks.items():
        yield Network(
            id=network.id,
            key=key,
            name=network.name,
            role=Role.NETWORK,
            location=network.location,
            prefixes=network.address_space.texts if network.address_space is not None else (),
            bastions=tuple(sorted(map(_bastion, bastions[key]), key=lambda each: (each.name.lower(), each.id))),
            machines=counts.get(key, Machines()),
        )


def _bastion(host: BastionHost) -> Bastion:
    return Bastion(host.id, host.name, host.sku_name, host.provisioning_state)


def counted(verdicts: Iterable[tuple[str | None, Verdict]]) -> Mapping[str, Machines]:
    """Verdicts, each with the key of its VM's network (None where it is not known), as numbers by network."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for key, verdict in verdicts:
        if key is not None:
            found[key][counted_as(verdict)] += 1
    return {key: Machines(**counts) for key, counts in found.items()}


def counted_as(verdict: Verdict) -> str:
    """The field of ``Machines`` in which a verdict counts."""
    stopped = verdict.verdict is Reachability.UNREACHABLE and verdict.only_stopped
    return "stopped" if stopped else verdict.verdict.value.lower()


def _virtual_hubs(inventory: Inventory) -> Iterable[Network]:
    for hub in inventory.virtual_hubs.values():
        yield Network(hub.id, hub.key, hub.name, Role.VIRTUAL_HUB)


def _not_shown(key: str) -> Network:
    return Network(key, key, key.rsplit("/", 1)[-1], Role.NOT_SHOWN)

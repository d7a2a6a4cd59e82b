"""VNetPeerings for the peerings that stand: around a network, or as a mesh, those of one kind together."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Any, Final

from pydantic import ValidationError

from bastion_operator.api.model import first_error
from bastion_operator.api.vnet_peering import MAX_MESH, MAX_SPOKES, VNetPeering, VNetPeeringSpec
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.peering import PairState, PeeringLink, PeeringPair, pair_links
from bastion_operator.network.virtual_network import VirtualNetwork
from bastion_operator.planning.estate import Estate
from bastion_operator.planning.importing.model import Imported, LeftOut, Names, Placement, manifest
from bastion_operator.planning.ownership import Owner, Ownership
from bastion_operator.planning.peering_keepers import keeper_of
from bastion_operator.planning.peering_link import LinkTable, link_ownership
from bastion_operator.planning.peering_pairs import HUB_TO_SPOKE, Half
from bastion_operator.planning.peering_settings import FLAGS_AT_CREATION
from bastion_operator.planning.vnet_peering import VNetPeeringInput, plan_vnet_peering

_KIND: Final = "VNetPeering"
_FEWEST_IN_MESH: Final = 3
_NO_FLAGS: Mapping[str, bool] = {}
Flags = tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class _Standing:
    """A peering that may be imported: networks by key with the flags of each half; None where there is no such half."""

    one: str
    other: str
    flags_of_one: Flags | None
    flags_of_other: Flags | None
    sound: bool

    @property
    def whole(self) -> bool:
        """Both halves are there."""
        return self.flags_of_one is not None and self.flags_of_other is not None

    def turned(self) -> "_Standing":
        return _Standing(self.other, self.one, self.flags_of_other, self.flags_of_one, self.sound)


def import_peerings(
    inventory: Inventory, estate: Estate, placement: Placement, names: Names, now: datetime
) -> Iterator[Imported | LeftOut]:
    """As few VNetPeerings as name every peering once, by the names of their hubs; of what others keep, why not."""
    standing: list[_Standing] = []
    links = LinkTable(estate)
    for key, others in sorted(inventory.neighbours.items()):
        for other in sorted(other for other in others if key < other):
            found = _standing(inventory, links, key, other)
            if isinstance(found, LeftOut):
                yield found
            else:
                standing.append(found)
    for name, spec in _specs(inventory, standing):
        yield _imported(spec, name, estate, placement, names, now)


# --- what may be imported ----------------------------------------------------------------------------------------


def _standing(inventory: Inventory, links: LinkTable, key: str, other_key: str) -> _Standing | LeftOut:
    one, other = inventory.virtual_network(key), inventory.virtual_network(other_key)
    pair = pair_links(key, one.links if one else (), other_key, other.links if other else ())
    link_id = pair.links[0].id
    if one is None or other is None:
        return LeftOut(
            link_id, f"the network at its other end, {other_key if other is None else key}, is not in the data"
        )
    if one.tenant_id and other.tenant_id and one.tenant_id.lower() != other.tenant_id.lower():
        return LeftOut(link_id, "its networks are in two tenants")
    kept = _kept(links, one, other) or _kept(links, other, one)
    if kept is not None:
        return kept
    return _Standing(key, other_key, _flags(pair.near), _flags(pair.far), _is_sound(pair))


def _kept(links: LinkTable, local: VirtualNetwork, remote: VirtualNetwork) -> LeftOut | None:
    """Who keeps the half of a network already, if that is to be seen."""
    link = links.find(local.id, remote.id)
    if link is None:
        return None
    # Nobody's own: only what another custom resource made reads Foreign.
    if link_ownership(Owner("", "", "", ""), (), link) is Ownership.FOREIGN:
        return LeftOut(link.id, "a VNetPeering made it")
    half = Half(local.id, remote.id, _NO_FLAGS, HUB_TO_SPOKE)
    keeper = keeper_of(link, half, (links.observed.get(local.id), links.observed.get(remote.id)))
    return None if keeper is None else LeftOut(link.id, f"{keeper} keeps it")


def _flags(link: PeeringLink | None) -> Flags | None:
    """In the order of ``FLAGS_AT_CREATION``."""
    if link is None:
        return None
    return (
        link.allow_virtual_network_access,
        link.allow_forwarded_traffic,
        link.allow_gateway_transit,
        link.use_remote_gateways,
    )


def _is_sound(pair: PeeringPair) -> bool:
    """Whether nothing is to be repaired; a half that waits for the other is nobody's to repair here."""
    whole = pair.state in {PairState.CONNECTED, PairState.ONE_SIDED}
    failed = any(str(link.provisioning_state).lower() in {"failed", "canceled"} for link in pair.links)
    return whole and not failed and not any(link.out_of_sync for link in pair.links)


# --- which go together -------------------------------------------------------------------------------------------


def _specs(inventory: Inventory, standing: Sequence[_Standing]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Specs, each with the words of its name: meshes first, then stars, the sound before those to be repaired."""
    left = list(standing)
    for mesh in _meshes(left):
        members = sorted({each.one for each in mesh} | {each.other for each in mesh})
        left = [each for each in left if each not in mesh]
        flags = mesh[0].flags_of_one
        assert flags is not None
        yield ("mesh", _name(inventory, members[0])), _mesh_spec(inventory, members, flags)
    for sound in (True, False):
        whole = [each for each in left if each.sound is sound and each.whole]
        halves = [each for each in left if each.sound is sound and not each.whole]
        for hub, spokes in _stars(inventory, whole):
            yield from _star_specs(inventory, hub, spokes, "spokes" if sound else "broken")
        for hub, spokes in _one_sided(halves):
            yield from _star_specs(inventory, hub, spokes, "one-sided" if sound else "broken")


def _meshes(standing: Sequence[_Standing]) -> Iterator[list[_Standing]]:
    """Networks that are all joined with one another, with nobody else, and in one way."""
    neighbours: dict[str, set[str]] = defaultdict(set)
    by_ends: dict[tuple[str, str], _Standing] = {}
    for each in standing:
        neighbours[each.one].add(each.other)
        neighbours[each.other].add(each.one)
        by_ends[each.one, each.other] = each
    seen: set[str] = set()
    for key in sorted(neighbours):
        members = {key, *neighbours[key]}
        if key in seen or not _FEWEST_IN_MESH <= len(members) <= MAX_MESH:
            continue
        if all(neighbours[member] | {member} == members for member in members):
            seen |= members
            mesh = [by_ends[pair] for pair in combinations(sorted(members), 2)]
            ways = {flags for each in mesh for flags in (each.flags_of_one, each.flags_of_other)}
            uses_gateways = any(flags is not None and flags[-1] for flags in ways)
            if len(ways) == 1 and None not in ways and not uses_gateways and all(each.sound for each in mesh):
                yield mesh


def _stars(inventory: Inventory, standing: Iterable[_Standing]) -> Iterator[tuple[str, list[_Standing]]]:
    """Peerings by the network that most of them have in common; of equals one with a Bastion, then the first by id."""
    left = list(standing)
    with_bastion = {str(host.virtual_network_id).lower() for host in inventory.bastions.values()}
    while left:
        counts = Counter(end for each in left for end in (each.one, each.other))
        hub = min(counts, key=lambda key: (-counts[key], key not in with_bastion, key))
        star = [each if each.one == hub else each.turned() for each in left if hub in {each.one, each.other}]
        left = [each for each in left if hub not in {each.one, each.other}]
        yield hub, star


def _one_sided(standing: Iterable[_Standing]) -> Iterator[tuple[str, list[_Standing]]]:
    """Halves without another, by the network that has the half."""
    found: dict[str, list[_Standing]] = defaultdict(list)
    for each in standing:
        towards = each if each.flags_of_one is not None else each.turned()
        found[towards.one].append(towards)
    yield from sorted(found.items())


def _star_specs(
    inventory: Inventory, hub: str, spokes: Iterable[_Standing], word: str
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """One spec for each way in which spokes hang on the hub, at most so many spokes as one may list."""
    ways: dict[tuple[Flags | None, Flags | None], list[str]] = defaultdict(list)
    for each in spokes:
        ways[each.flags_of_one, each.flags_of_other].append(each.other)
    for (hub_flags, spoke_flags), members in ways.items():
        for start in range(0, len(members), MAX_SPOKES):
            spec = {
                "hub": {"virtualNetworkID": _id(inventory, hub)},
                "spokes": [{"virtualNetworkID": _id(inventory, each)} for each in members[start : start + MAX_SPOKES]],
                "hubToSpoke": _named(hub_flags),
                "spokeToHub": _named(spoke_flags),
                "sides": "Both" if spoke_flags is not None else "HubOnly",
            }
            yield (_name(inventory, hub), word), {name: value for name, value in spec.items() if value != {}}


def _mesh_spec(inventory: Inventory, members: Sequence[str], flags: Flags) -> dict[str, Any]:
    return {
        "topology": "FullMesh",
        "spokes": [{"virtualNetworkID": _id(inventory, each)} for each in members],
        "hubToSpoke": _named(flags),
        "spokeToHub": _named(flags),
    }


def _named(flags: Flags | None) -> Mapping[str, bool]:
    return {} if flags is None else dict(zip(FLAGS_AT_CREATION, flags, strict=True))


def _id(inventory: Inventory, key: str) -> str:
    return inventory.virtual_networks[key].id


def _name(inventory: Inventory, key: str) -> str:
    return inventory.virtual_networks[key].name


# --- the custom resource, and the proof --------------------------------------------------------------------------


def _imported(
    spec: Mapping[str, Any],
    words: tuple[str, ...],
    estate: Estate,
    placement: Placement,
    names: Names,
    now: datetime,
) -> Imported | LeftOut:
    name = names.give(_KIND, *words)
    made = manifest(_KIND, name, placement, spec)
    try:
        VNetPeering.model_validate(made)
        managed = VNetPeeringSpec.model_validate({**made["spec"], "managementPolicy": "Manage"})
    except ValidationError as error:
        first = (spec.get("hub") or spec["spokes"][0])["virtualNetworkID"]
        return LeftOut(first, f"peerings of it: no custom resource can name it, {first_error(error)}")
    owner = Owner("", placement.namespace or "", name, "")
    plan = plan_vnet_peering(VNetPeeringInput(owner, managed, (), estate, now))
    return Imported(made, plan.changes, plan.obstacles)

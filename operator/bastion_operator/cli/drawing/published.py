"""The picture of what the operator has published: its custom resources with their states, and its reports.

The cluster holds no address spaces, no regions, and no networks that no custom resource or report names.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from bastion_operator.api.reachability_report import ReachabilityReport
from bastion_operator.cli.drawing.graph import Bastion, Connection, Machines, Network, Role, Topology, arranged, counted
from bastion_operator.cli.published import networks_of
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.peering import PairState, PeeringState
from bastion_operator.network.reachability import Verdict

Raw = Mapping[str, Any]
_NOT_LOOKED_AT: Final = "the operator has not looked at it"


def published_topology(
    hosts: Iterable[Raw], peerings: Iterable[Raw], reports: Sequence[ReachabilityReport], verdicts: Iterable[Verdict]
) -> Topology:
    """The picture of BastionHosts and VNetPeerings as the API server has them, and of the VMs of reports."""
    joined = tuple(peerings)
    connections = {frozenset((each.one, each.other)): each for raw in joined for each in _connections(raw)}
    bastions: dict[str, dict[str, Bastion]] = defaultdict(dict)
    ids = {normalise_id(report.virtual_network_id): report.virtual_network_id for report in reports}
    for raw in hosts:
        network_id = str(raw["spec"]["virtualNetworkID"])
        ids.setdefault(normalise_id(network_id), network_id)
        bastion = _bastion(raw)
        bastions[normalise_id(network_id)][normalise_id(bastion.id)] = bastion
    ids = {normalise_id(each): each for raw in joined for each in _named(raw)} | ids
    places = places_of(reports, verdicts := tuple(verdicts))
    counts = counted((places[verdict.vm], verdict) for verdict in verdicts)
    networks = (
        Network(
            id=network_id,
            key=key,
            name=network_id.rstrip("/").rpartition("/")[2],
            role=Role.NETWORK,
            bastions=tuple(sorted(bastions[key].values(), key=lambda each: (each.name.lower(), each.id))),
            machines=counts.get(key, Machines()),
        )
        for key, network_id in ids.items()
    )
    return arranged(networks, connections.values())


def places_of(reports: Iterable[ReachabilityReport], verdicts: Iterable[Verdict]) -> dict[str, str | None]:
    """The keys of the networks of VMs, by the ids of these as verdicts spell them."""
    known = networks_of(reports)
    found = ((verdict.vm, known.get(verdict.vm.lower())) for verdict in verdicts)
    return {vm: None if network is None else normalise_id(network) for vm, network in found}


def _bastion(raw: Raw) -> Bastion:
    spec, status = raw["spec"], raw.get("status") or {}
    name = spec.get("azureName") or raw["metadata"]["name"]
    bastion_id = status.get("bastionID")
    if bastion_id is not None:
        name = bastion_id.rpartition("/")[2]
    state = status.get("provisioningState") or "not there yet"
    return Bastion(bastion_id or name, name, status.get("sku") or spec.get("sku") or "?", state)


def _connections(raw: Raw) -> Iterator[Connection]:
    """The links of a VNetPeering by its status; before there is one those that it lists."""
    rows = (raw.get("status") or {}).get("spokes") or ()
    for row in rows or raw["spec"].get("spokes") or ():
        if (other := _hub_of(raw, row)) is not None:
            state, trouble = _state(row) if rows else (PairState.UNKNOWN, _NOT_LOOKED_AT)
            yield Connection(normalise_id(other), normalise_id(row["virtualNetworkID"]), state, trouble)


def _hub_of(raw: Raw, row: Raw) -> str | None:
    """The network at the other end: the hub, or in a full mesh, which has none, that of the row."""
    found = row.get("peerVirtualNetworkID") or (raw["spec"].get("hub") or {}).get("virtualNetworkID")
    return None if found is None else str(found)


def _named(raw: Raw) -> Iterator[str]:
    """The ids of the networks that a VNetPeering is about."""
    for row in (*((raw.get("status") or {}).get("spokes") or ()), *(raw["spec"].get("spokes") or ())):
        yield str(row["virtualNetworkID"])
        if (other := _hub_of(raw, row)) is not None:
            yield other


def _state(row: Raw) -> tuple[PairState, str | None]:
    """What the two halves come to, and what is wrong. Only a half that has its other reads Connected: one suffices."""
    states = {row.get("hubState"), row.get("spokeState")} - {None}
    trouble = row.get("message") or row.get("reason")
    if PeeringState.DISCONNECTED in states:
        return PairState.DISCONNECTED, trouble
    if states == {PeeringState.CONNECTED}:
        return PairState.CONNECTED, trouble
    return (PairState.ONE_SIDED if states else PairState.NOT_PEERED), trouble

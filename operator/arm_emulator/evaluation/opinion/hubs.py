"""Virtual WAN hubs: which networks are connected, whose prefixes reach whom, and default routes.

Rules: https://learn.microsoft.com/azure/virtual-wan/about-virtual-hub-routing
"""

from collections.abc import Iterable

from arm_emulator.errors import Json
from arm_emulator.evaluation.opinion.addresses import EVERYTHING, Span, span, spans
from arm_emulator.evaluation.opinion.facts import OPEN, Facts, flag, is_held_by_hub, key, readable_space, states
from arm_emulator.evaluation.rows import field, parts, referred, space

CONNECTIONS = "Microsoft.Network/virtualHubs/hubVirtualNetworkConnections"
INTENTS = "Microsoft.Network/virtualHubs/routingIntent"
DEFAULT_TABLE, NO_TABLE, DEFAULT_LABEL = "defaultroutetable", "noneroutetable", "default"


def connections(facts: Facts, network_id: str) -> list[Json]:
    """The hub connections of a network."""
    return [
        one
        for one in facts.of_type(CONNECTIONS)
        if (remote := referred(one, "remoteVirtualNetwork")) is not None and key(remote) == key(network_id)
    ]


def hub_of(connection: Json) -> str:
    return key(str(connection["id"])).rsplit("/", 2)[0]


def wan_of(facts: Facts, hub_id: str) -> str | None:
    """The virtual WAN of a hub; None where its row, or its word on that, is missing."""
    wan = referred(facts.find(hub_id) or {}, "virtualWan")
    return None if wan is None else key(wan)


def default_propagated(facts: Facts, network_id: str) -> bool:
    """Whether a secured hub puts 0.0.0.0/0 into the network."""
    for connection in connections(facts, network_id):
        table = facts.find(_associated(connection))
        static = table is not None and any(one == EVERYTHING for one in _static_routes(table))
        if flag(connection, "enableInternetSecurity") and (static or _intends(facts, hub_of(connection), "internet")):
            return True
    return False


def _intends(facts: Facts, hub_id: str, traffic: str) -> bool:
    return any(
        traffic in {str(destination).lower() for destination in policy.get("destinations") or []}
        for intent in facts.of_type(INTENTS)
        if key(str(intent["id"])).rsplit("/", 2)[0] == hub_id
        for policy in parts(intent, "routingPolicies")
    )


def _static_routes(table: Json) -> list[Span | None]:
    return [span(str(one)) for route in parts(table, "routes") for one in route.get("destinations") or []]


def _routing(connection: Json) -> Json:
    value = field(connection, "routingConfiguration")
    return value if isinstance(value, dict) else {}


def _associated(connection: Json) -> str:
    named = (_routing(connection).get("associatedRouteTable") or {}).get("id")
    return key(named) if named else f"{hub_of(connection)}/hubroutetables/{DEFAULT_TABLE}"


def _told_to(facts: Facts, sender: Json, receiver: Json) -> bool:
    """Whether a connection propagates its network's prefixes to the table that the other is associated with."""
    table_id = _associated(receiver)
    labels = {str(one).lower() for one in field(facts.find(table_id) or {}, "labels") or []}  # type: ignore[attr-defined]
    if table_id.endswith(f"/{DEFAULT_TABLE}"):
        labels.add(DEFAULT_LABEL)
    propagated = _routing(sender).get("propagatedRouteTables")
    if not propagated:
        return DEFAULT_LABEL in labels
    ids = {key(str(one["id"])) for one in propagated.get("ids") or []}
    return table_id in ids or bool(labels & {str(one).lower() for one in propagated.get("labels") or []})


def between(facts: Facts, here: Json, there: Json, ends: tuple[Iterable[int], Iterable[int]]) -> list[str]:
    """What virtual WAN makes of the way between two networks: `route`, a code where that is not known, or nothing.

    `ends` are the addresses in the one and in the other that a session has.
    """
    ours, theirs = connections(facts, str(here["id"])), connections(facts, str(there["id"]))
    pairs = [(one, other) for one in ours for other in theirs]
    found = [said for one, other in pairs if (said := _pair(facts, one, other, there)) is not None]
    if "route" in found and any(
        _taken(facts, one, ends[1], there) or _taken(facts, other, ends[0], here) for one, other in pairs
    ):
        found = [OPEN]
    if not (ours and theirs) and (ours or is_held_by_hub(here)) and (theirs or is_held_by_hub(there)):
        found.append(OPEN)
    if bool(ours) != bool(theirs):
        nameless = {hub_of(one) for one in facts.of_type(CONNECTIONS) if referred(one, "remoteVirtualNetwork") is None}
        found += [OPEN for one in (*ours, *theirs) if hub_of(one) in nameless]
    return found


def _taken(facts: Facts, connection: Json, addresses: Iterable[int], network: Json) -> bool:
    """Whether a static route of a connection's table is no shorter than the network's prefix around an address."""
    fixed = [one for one in _static_routes(facts.find(_associated(connection)) or {}) if one not in {None, EVERYTHING}]
    for address in addresses:
        told = [last - first for first, last in spans(space(network)) if first <= address <= last]
        width = min(told, default=EVERYTHING[1])
        if any(one[0] <= address <= one[1] and one[1] - one[0] <= width for one in fixed):
            return True
    return False


def _pair(facts: Facts, one: Json, other: Json, there: Json) -> str | None:
    hubs = (hub_of(one), hub_of(other))
    if hubs[0] != hubs[1]:
        wans = [wan_of(facts, hub) for hub in hubs]
        if None in wans:
            return facts.gone(hubs[0] if wans[0] is None else hubs[1])
        if wans[0] != wans[1]:
            return None
    if any(_intends(facts, hub, "privatetraffic") for hub in hubs):
        return OPEN
    reaches_us, reaches_them = _told_to(facts, other, one), _told_to(facts, one, other)
    if reaches_us and reaches_them:
        return "route"
    if (unseen := _unseen(facts, _associated(other if reaches_us else one))) is not None:
        return unseen
    every = _static_routes(facts.find(_associated(one)) or {})
    static = [each for each in every if each is not None and each != EVERYTHING]
    leads = any(first <= held[1] and held[0] <= last for held in static for first, last in spans(space(there)))
    return OPEN if leads or (static and not readable_space(there)) else None


def _unseen(facts: Facts, table_id: str) -> str | None:
    """The code where nobody can tell what stands in a hub's table; every hub has two of its own."""
    if table_id.rpartition("/")[2] in {DEFAULT_TABLE, NO_TABLE}:
        return None
    table = facts.find(table_id)
    if table is None:
        return facts.gone(table_id)
    return None if states(table, "labels") and states(table, "routes") else OPEN


def mates(facts: Facts, network_id: str, every: list[Json]) -> set[str]:
    """Keys of the networks on the same virtual WAN, and of those of which it is not known whether they are."""
    wans: dict[str, set[str]] = {}
    unknown: set[str] = set()
    for network in every:
        held = connections(facts, str(network["id"]))
        own = key(str(network["id"]))
        if held:
            wans[own] = {wan_of(facts, hub_of(one)) or hub_of(one) for one in held}
        if (not held and is_held_by_hub(network)) or any(wan_of(facts, hub_of(one)) is None for one in held):
            unknown.add(own)
    for connection in facts.of_type(CONNECTIONS):
        remote = key(referred(connection, "remoteVirtualNetwork") or "")
        if remote and remote not in wans:
            wans.setdefault(remote, set()).add(wan_of(facts, hub_of(connection)) or hub_of(connection))
            if wan_of(facts, hub_of(connection)) is None:
                unknown.add(remote)
    own = key(network_id)
    if own not in wans and own not in unknown:
        return set()
    known = set(wans) | unknown
    if own not in unknown:
        known = {one for one in known if one in unknown or wans[own] & wans[one]}
    return known - {own}

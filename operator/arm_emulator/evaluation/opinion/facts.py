"""What an opinion is formed on: rows, what Azure refused to show, and what was asked of hosts."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType

from arm_emulator.errors import Json
from arm_emulator.evaluation.opinion.addresses import HOST, NOT_PUBLIC, is_ipv6, span
from arm_emulator.evaluation.rows import Estate, field, parts, referred

OPEN, REFUSED = "EffectiveDataUnavailable", "PermissionDenied"
UNREAD = "?"
"""Stands for an id that cannot be read; no row has it, and nobody refused it."""
PROVIDERS = "/providers/"
PARTS_OF_A_RESOURCE = 3
"""Namespace, type and name; a child has more."""


class Facts:
    """Rows by id, ids that Azure refused to show, and by Bastion the sessions that it carries."""

    def __init__(
        self, rows: Iterable[Json], refused: Iterable[str] = (), sessions: Mapping[str, int] = MappingProxyType({})
    ) -> None:
        """Of two rows with one id the later counts."""
        listed = list(rows)
        self._rows = Estate(listed)
        self._edges = sorted(_edges(listed))
        self._refused = {key(each) for each in refused}
        self._sessions = {key(each): count for each, count in sessions.items()}

    def find(self, resource_id: str | None) -> Json | None:
        return self._rows.find(resource_id)

    def of_type(self, kind: str) -> Iterator[Json]:
        return self._rows.of_type(kind)

    def sessions(self, bastion_id: str) -> int:
        """The sessions that a Bastion carries; 0 where nobody asked."""
        return self._sessions.get(key(bastion_id), 0)

    def stretches(self, addresses: Iterable[int]) -> tuple[int, ...]:
        """The lowest of the addresses in every stretch between two edges of prefixes that the rows name anywhere.

        What is true of it is true of all of the stretch.
        """
        return tuple({bisect_right(self._edges, one): one for one in sorted(addresses, reverse=True)}.values())[::-1]

    def gone(self, resource_id: str) -> str:
        """The code for an id that is referred to and has no row: refused, as its subscription or parent may be, or not there."""
        holders = [key(resource_id), "/".join(key(resource_id).split("/")[:3])]
        if len(resource_id.rpartition(PROVIDERS)[2].split("/")) > PARTS_OF_A_RESOURCE:
            holders.append(key(resource_id).rsplit("/", 2)[0])
        return REFUSED if self._refused.intersection(holders) else OPEN


def _edges(value: object) -> set[int]:
    """The addresses at which a prefix begins, or that follow its end, of every text in the JSON and of the known ranges."""
    found = {edge for first, last in NOT_PUBLIC for edge in (first, last + 1)} | {HOST, HOST + 1}
    rest = [value]
    while rest:
        one = rest.pop()
        if isinstance(one, dict):
            rest += one.values()
        elif isinstance(one, list):
            rest += one
        elif isinstance(one, str) and one[:1].isdigit() and (held := span(one)) is not None:
            found |= {held[0], held[1] + 1}
    return found


def key(resource_id: str) -> str:
    """The one spelling by which ids are compared."""
    return resource_id.lower().rstrip("/")


def flag(body: Json, name: str, *, default: bool = False) -> bool:
    """A boolean of a body's properties; absent is the default."""
    value = field(body, name)
    return default if value is None else value is True


def column(body: Json, name: str) -> str | None:
    """A text beside the properties, such as location or tenantId."""
    value = body.get(name)
    return str(value) if value else None


def word(body: Json, name: str) -> str:
    """A text of the properties in lower case, empty where there is none."""
    value = field(body, name)
    return value.lower() if isinstance(value, str) else ""


def states(body: Json, name: str) -> bool:
    """Whether a body states a list of that name, be it empty."""
    return isinstance(field(body, name), list)


def lists_whole(body: Json, name: str) -> bool:
    """Whether a body states a list of that name, each entry of which has properties: what is in none of them is not there."""
    return lists_objects(body, name) and all(isinstance(one.get("properties"), dict) for one in parts(body, name))


def lists_objects(body: Json, name: str) -> bool:
    """Whether a body states a list of that name that holds objects and nothing else."""
    held = field(body, name)
    return isinstance(held, list) and all(isinstance(one, dict) for one in held)


def tells_links(network: Json) -> bool:
    """Whether a network states all its links, and of each whom it leads to."""
    links = parts(network, "virtualNetworkPeerings")
    ends = {attached(link, "remoteVirtualNetwork") for link in links}
    return lists_objects(network, "virtualNetworkPeerings") and not ends & {None, UNREAD}


def attached(body: Json | None, name: str) -> str | None:
    """The id of what is attached; None for nothing and to nothing, UNREAD for what cannot be read."""
    if body is None:
        return None
    properties = body.get("properties")
    held = properties.get(name) if isinstance(properties, dict) else {}
    if held is None:
        return None
    named = held.get("id") if isinstance(held, dict) else None
    return named if isinstance(named, str) and named else UNREAD


def odd_prefixes(subnet: Json) -> bool:
    """Whether a subnet has a prefix that is neither IPv4 nor IPv6."""
    several, one = field(subnet, "addressPrefixes"), field(subnet, "addressPrefix")
    texts = several if isinstance(several, list) and several else [one] if one else []
    return any(span(str(text)) is None and not is_ipv6(str(text)) for text in texts)


def states_space(body: Json, name: str) -> bool:
    """Whether a body states an address space of that name."""
    held = field(body, name)
    return isinstance(held, dict) and isinstance(held.get("addressPrefixes"), list)


def readable_space(body: Json, name: str = "addressSpace") -> bool:
    """Whether a network, a link or a site states an address space in prefixes that can be read."""
    held = (body.get("properties") or {}).get(name)
    prefixes = held.get("addressPrefixes") if isinstance(held, dict) else None
    return isinstance(prefixes, list) and all(span(str(one)) is not None or is_ipv6(str(one)) for one in prefixes)


def region(text: str | None) -> str:
    return (text or "").replace(" ", "").lower()


def leads_to(link: Json, network_id: str | None) -> bool:
    """Whether a link is a peering with that network; the hold of a virtual hub is none."""
    remote = referred(link, "remoteVirtualNetwork")
    return remote is not None and network_id is not None and key(remote) == key(network_id) and not is_hold(link)


def is_hold(link: Json) -> bool:
    """Whether a link is the hold of a virtual WAN hub on the network."""
    remote = referred(link, "remoteVirtualNetwork") or ""
    return str(link.get("name", "")).lower().startswith("remotevnettohubpeering_") and key(remote).rpartition("/")[
        2
    ].startswith("hv_")


def peerings(network: Json | None) -> list[Json]:
    """The links of a network that are peerings."""
    return [link for link in parts(network or {}, "virtualNetworkPeerings") if not is_hold(link)]


def is_held_by_hub(network: Json | None) -> bool:
    """Whether a virtual hub holds the network."""
    return any(is_hold(link) for link in parts(network or {}, "virtualNetworkPeerings"))


def any_named(names: Collection[str], wanted: str) -> bool:
    return wanted.lower() in {name.lower() for name in names}

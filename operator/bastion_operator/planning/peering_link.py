"""One half of a link as Azure has it: found in its virtual network's row, and whose it is."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bastion_operator.api.common import Claim
from bastion_operator.network.peering import HUB_CONNECTION_LINK
from bastion_operator.planning.body import children, in_transition, properties, referenced_id
from bastion_operator.planning.model import Body, Observed
from bastion_operator.planning.ownership import PEERING_PREFIX, Owner, Ownership, adopted, id_key

PEERINGS = "virtualNetworkPeerings"
DISCONNECTED = "disconnected"
CONNECTED = "connected"
_OPERATORS_NAME = re.compile(rf"{PEERING_PREFIX}-.*-[0-9a-f]{{16}}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Link:
    """A peering that exists. ``body`` is ARM's JSON of it."""

    id: str
    body: Body

    @property
    def state(self) -> str:
        """``Initiated``, ``Connected`` or ``Disconnected``, as Azure spells it."""
        return str(properties(self.body).get("peeringState") or "")

    @property
    def sync_level(self) -> str | None:
        """Azure's ``peeringSyncLevel``. For showing only: it also reads out of sync on a link that is only one-sided."""
        found = properties(self.body).get("peeringSyncLevel")
        return None if found is None else str(found)

    @property
    def remote_id(self) -> str:
        """The normalised id of the virtual network at the other end."""
        return referenced_id(properties(self.body).get("remoteVirtualNetwork"))

    @property
    def changing(self) -> bool:
        """Azure is still working on it."""
        return in_transition(self.body)

    @property
    def disconnected(self) -> bool:
        """The other half, or the other network, went away: only deleting this half and making it again helps."""
        return self.state.lower() == DISCONNECTED

    @property
    def connected(self) -> bool:
        """Both halves exist and know each other."""
        return self.state.lower() == CONNECTED

    @property
    def uses_remote_gateways(self) -> bool:
        """Whether this side's way on-premises leads over the other side's gateway."""
        return bool(properties(self.body).get("useRemoteGateways"))

    @property
    def lends_gateway(self) -> bool:
        """Whether this side lets the other use its gateway."""
        return bool(properties(self.body).get("allowGatewayTransit"))

    @property
    def remote_space(self) -> tuple[str, ...]:
        """What the network at the other end holds, as this half last learned it or sees it now."""
        space = _prefixes(self.body, "remoteVirtualNetworkAddressSpace") or _prefixes(self.body, "remoteAddressSpace")
        return tuple(sorted(space or ()))

    @property
    def address_space_in_sync(self) -> bool:
        """What the link knows of the remote address space is what that is now; unknown where Azure shows only one."""
        known = _prefixes(self.body, "remoteAddressSpace")
        live = _prefixes(self.body, "remoteVirtualNetworkAddressSpace")
        return known is None or live is None or known == live


class LinkTable:
    """The links of every observed network, by the network that they lead to. Azure allows one for each.

    A virtual WAN hub's hold on a network looks like a link and is none: it is left out, so that no plan touches it.
    """

    def __init__(self, observed: Observed) -> None:
        self.observed = observed
        self._links: dict[str, dict[str, Link]] = {}
        self._by_id: dict[str, dict[str, Link]] = {}

    def find(self, local_id: str, remote_id: str) -> Link | None:
        """The link from one network to another; None if there is none, or the network is not known."""
        return self.of(local_id).get(id_key(remote_id))

    def by_id(self, network_id: str, link_id: str) -> Link | None:
        """The link of the network with this id, wherever it leads; None if there is none."""
        key = id_key(network_id)
        if key not in self._by_id:
            self._by_id[key] = {id_key(link.id): link for link in self.of(key).values()}
        return self._by_id[key].get(id_key(link_id))

    def of(self, network_id: str) -> Mapping[str, Link]:
        """Every link of the network by the normalised id of the network that it leads to."""
        key = id_key(network_id)
        found = self._links.get(key)
        if found is None:
            network = self.observed.get(key)
            found = {} if network is None else {link.remote_id: link for link in _links(network, network_id)}
            self._links[key] = found
        return found


def _links(network: Body, network_id: str) -> Iterator[Link]:
    for body in children(network, PEERINGS):
        link = Link(f"{network_id}/{PEERINGS}/{body.get('name')}", body)
        if HUB_CONNECTION_LINK.match(str(body.get("name"))) is None:
            yield link


def link_ownership(owner: Owner, claims: Iterable[Claim], link: Link) -> Ownership:
    """Whose a link is. It has no tags: its name tells, and for what was adopted the claim."""
    if adopted(claims, link.id):
        return Ownership.ADOPTED
    name = link.id.rsplit("/", 1)[-1]
    if name.lower() == owner.peering_name(link.remote_id).lower():
        return Ownership.CREATED
    return Ownership.FOREIGN if _OPERATORS_NAME.fullmatch(name) else Ownership.ADOPTABLE


def address_prefixes(network: Body) -> list[str]:
    """The prefixes of the network's address space."""
    space = properties(network).get("addressSpace")
    found = space.get("addressPrefixes") if isinstance(space, (dict, Mapping)) else None
    return [str(prefix) for prefix in found or []]


def _prefixes(body: Body, field: str) -> frozenset[str] | None:
    space = properties(body).get(field)
    found = space.get("addressPrefixes") if isinstance(space, (dict, Mapping)) else None
    return None if found is None else frozenset(map(str, found))

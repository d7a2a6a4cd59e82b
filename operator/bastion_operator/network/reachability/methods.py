"""Steps 17 and 18: how a person connects, and what this evaluation cannot see."""

from collections.abc import Iterator
from typing import Final

from bastion_operator.network.bastion_host import BastionHost
from bastion_operator.network.codes import finding
from bastion_operator.network.finding import Finding
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability.just_in_time import guard_of
from bastion_operator.network.reachability.question import Question
from bastion_operator.network.reachability.verdict import Method, Protocol, Via
from bastion_operator.network.resource_types import (
    EFFECTIVE_RULES,
    GATEWAY_CONNECTIONS,
    GATEWAYS,
    HUB_CONNECTIONS,
    JIT_POLICIES,
    LOCAL_GATEWAYS,
    PRIVATE_ZONE_LINKS,
)
from bastion_operator.network.sku import CAPACITY, Sku, supports

_NATIVE_PORTS_BY_ADDRESS: Final = frozenset({22, 3389})


def connection_methods(question: Question) -> Iterator[Method]:
    """Step 17: the methods of a Bastion that reaches the VM."""
    bastion, via = question.host.bastion, question.path.via
    yield Method.PORTAL
    if _native_client(question) and (via is not Via.IP_CONNECT or question.asked.port in _NATIVE_PORTS_BY_ADDRESS):
        yield Method.NATIVE_CLIENT
    shareable = bastion.sku is not None and supports(bastion.sku, "shareableLink") and bastion.shareable_link
    if shareable and via is not Via.IP_CONNECT:
        yield Method.SHAREABLE_LINK


def _native_client(question: Question) -> bool:
    bastion = question.host.bastion
    capable = bastion.sku is not None and supports(bastion.sku, "nativeClient")
    return capable and bastion.tunneling and not bastion.session_recording


def method_findings(question: Question) -> Iterator[Finding]:
    """Step 17: why the native client is not among the methods."""
    bastion = question.host.bastion
    if _native_client(question):
        return
    if bastion.sku is None or not supports(bastion.sku, "nativeClient"):
        why = f"SKU {bastion.sku_name} does not have it; Standard and Premium do"
    elif bastion.session_recording:
        why = "session recording excludes it"
    else:
        why = "enableTunneling is not true"
    message = f"the native client is not available with Bastion {bastion.name}: {why}"
    yield finding("NativeClientDisabled", message, resource=bastion.id)


NEEDED_TYPES: Final = (
    ("step 5, learned default routes", (HUB_CONNECTIONS, GATEWAYS, LOCAL_GATEWAYS, GATEWAY_CONNECTIONS)),
    ("step 6, private DNS zones", (PRIVATE_ZONE_LINKS,)),
    ("step 12, routes without a peering", (HUB_CONNECTIONS, GATEWAYS, LOCAL_GATEWAYS, GATEWAY_CONNECTIONS)),
    ("step 14, security admin rules", (EFFECTIVE_RULES,)),
)
"""Steps that find nothing where these types were not read, and the types."""


def not_read(inventory: Inventory) -> Iterator[Finding]:
    """Step 18: which steps could not look, because the source was not asked for the resources that they judge."""
    for step, types in NEEDED_TYPES:
        missing = [kind for kind in types if not inventory.holds(kind)]
        if missing:
            yield finding("NotLookedAt", f"{step}: {', '.join(missing)} were not among what was read")


def unseen_findings(question: Question) -> Iterator[Finding]:
    """Step 18: what no source of this evaluation holds, and just-in-time access where something tells of it."""
    inventory, target = question.evaluation.inventory, question.target
    marks = guard_of(question.evaluation, target, question.asked.port, question.host.sources)
    if marks is not None:
        message = (
            f"just-in-time access of {target.vm.name} may keep port {question.asked.port} closed until it is asked for"
        )
        yield finding("JitMayBlock", message, resource=marks)
    elif not inventory.rows(JIT_POLICIES):
        yield finding("NotLookedAt", "just-in-time access policies were not among the data")
    yield from _capacity(question)
    yield from question.evaluation.once("not read", lambda: tuple(not_read(inventory)))
    networks = (question.host.network, target.network)
    if any(network is not None and question.evaluation.learns_routes(network) for network in networks):
        yield finding("NotLookedAt", "the routes that gateways or virtual hubs learn by BGP are no resources")


def _capacity(question: Question) -> Iterator[Finding]:
    """Step 18: as many sessions as the host's instances carry, where the host was asked how many there are."""
    bastion, protocol = question.host.bastion, question.asked.protocol
    sessions = question.evaluation.active_sessions.get(bastion.key, 0)
    carried = sessions_carried(bastion, protocol)
    if carried is not None and sessions >= carried:
        message = f"Bastion {bastion.name} has {sessions} sessions, and its {bastion.scale_units} instances carry {carried} of"
        yield finding("CapacityExceeded", f"{message} {protocol}: raise scaleUnits", resource=bastion.id)


def sessions_carried(bastion: BastionHost, protocol: Protocol) -> int | None:
    """How many sessions of a protocol a host carries, None for a SKU that is not known.

    Source: Microsoft Learn, "Configuration settings" (instances and host scaling).
    """
    if bastion.sku is None:
        return None
    capacity = CAPACITY[bastion.sku]
    units = min(max(bastion.scale_units, capacity.fewest_units), capacity.most_units)
    return units * sessions_an_instance(bastion.sku, protocol)


def sessions_an_instance(sku: Sku, protocol: Protocol) -> int:
    """How many sessions of a protocol one instance carries."""
    return CAPACITY[sku].rdp_sessions if protocol is Protocol.RDP else CAPACITY[sku].ssh_sessions


def always_findings() -> tuple[Finding, ...]:
    """Step 18: what is inside the VM is not seen from Azure's side, and whose rights were not asked about is not known."""
    return _ALWAYS


_ALWAYS: Final = (
    finding(
        "GuestNotVerified",
        "whether the guest listens (sshd, Remote Desktop, its own firewall) is not to be seen in Azure's resources",
    ),
    finding("RbacNotEvaluated", "whose roles allow the connection was not asked"),
)

"""The decision procedure: one small function a step, in the order in which a person should mend what they find."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from bastion_operator.network.finding import Finding
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability.bastion_rules import needed_rules
from bastion_operator.network.reachability.default_route import learned_routes, subnet_routes
from bastion_operator.network.reachability.flow import (
    bastion_group_findings,
    security_admin_findings,
    target_group_findings,
)
from bastion_operator.network.reachability.host import Host, host_public_ip, host_sku, host_state, host_subnet
from bastion_operator.network.reachability.ip_connect import RouteKnowledge, ip_connect_findings
from bastion_operator.network.reachability.methods import method_findings, unseen_findings
from bastion_operator.network.reachability.path import Topology, access_findings, apart_findings
from bastion_operator.network.reachability.private_dns import zone_findings
from bastion_operator.network.reachability.question import Question
from bastion_operator.network.reachability.return_route import return_route_findings
from bastion_operator.network.reachability.sku_rules import sku_findings
from bastion_operator.network.reachability.target import Target, address_findings, power_findings, session_host_findings


@dataclass(frozen=True, slots=True)
class Step:
    """A step of docs/reachability.md. ``per`` names what its findings depend on: equal keys, equal findings."""

    number: int
    name: str
    findings: Callable[[Question], Iterable[Finding]]
    per: Callable[[Question], Hashable] | None = None


def _per_host(question: Question) -> Hashable:
    return question.host.bastion.key


def _per_target(question: Question) -> Hashable:
    return question.target.vm.key


def _of_host(judge: Callable[[Inventory, Host], Iterable[Finding]]) -> Callable[[Question], Iterable[Finding]]:
    """A step that looks at nothing but the Bastion's side."""
    return lambda question: judge(question.evaluation.inventory, question.host)


def target_findings(inventory: Inventory, target: Target) -> Iterator[Finding]:
    """Step 8: what can be said of a VM without a Bastion."""
    yield from power_findings(target)
    yield from target.missing
    yield from session_host_findings(inventory, target)


def _topology(question: Question) -> Iterator[Finding]:
    path, target, host = question.path, question.target, question.host
    yield from path.findings
    if path.topology is Topology.APART:
        yield from apart_findings(host, target, path, grouped=_grouped(question))
    if path.topology is Topology.PEERED:
        yield from access_findings(
            path,
            near_has_group=_near_has_group(host),
            far_has_group=_far_has_group(target),
            developer=host.is_developer,
        )


def _without_peering(question: Question) -> Iterator[Finding]:
    # A connected group is a way that nobody has seen Bastion use: it is not that no route leads there.
    path = question.path
    nothing = path.route.knowledge is RouteKnowledge.NONE and path.route.doubt is None
    if path.topology is Topology.APART and not (nothing and _grouped(question)):
        yield from ip_connect_findings(question.host, question.target, path.route)


def _grouped(question: Question) -> bool:
    """Whether a network manager connects the two VNets without peering objects."""
    return question.host.network_key in question.evaluation.group_mates(question.target.network_key or "")


def _near_has_group(host: Host) -> bool:
    """Whether a security group decides on the Bastion's side; where the side is not known, nothing is claimed."""
    return host.subnet is None or host.subnet.network_security_group_id is not None


def _far_has_group(target: Target) -> bool:
    if target.subnet is None or target.interface is None:
        return True
    return bool(target.subnet.network_security_group_id or target.interface.network_security_group_id)


STEPS: Final = (
    Step(1, "the Bastion's state", lambda question: host_state(question.host), _per_host),
    Step(2, "the Bastion's SKU", lambda question: host_sku(question.host), _per_host),
    Step(3, "its subnet", _of_host(host_subnet), _per_host),
    Step(4, "its subnet's route table", _of_host(subnet_routes), _per_host),
    Step(5, "the default routes that it learns", _of_host(learned_routes), _per_host),
    Step(6, "private DNS zones linked to its VNet", _of_host(zone_findings), _per_host),
    Step(7, "the rules that it needs itself", _of_host(needed_rules), _per_host),
    Step(7, "its public IP", _of_host(host_public_ip), _per_host),
    Step(8, "the VM", lambda question: target_findings(question.evaluation.inventory, question.target), _per_target),
    Step(8, "the address asked for", lambda question: address_findings(question.target, question.asked.address)),
    Step(9, "what the SKU allows", sku_findings),
    Step(11, "the topology", _topology),
    Step(12, "a route without a peering", _without_peering),
    Step(13, "the way out of AzureBastionSubnet", bastion_group_findings),
    Step(14, "the security admin rules on the VM's VNet", security_admin_findings),
    Step(15, "the way into the VM", target_group_findings),
    Step(16, "the way back from the VM", return_route_findings),
    Step(17, "the methods", method_findings, _per_host),
    Step(18, "what is not seen from here", unseen_findings),
)


_OF_TARGET: Final = next(place for place, step in enumerate(STEPS) if step.per is _per_target)
STEPS_BEFORE_TARGET: Final = STEPS[:_OF_TARGET]
"""The steps before the one that looks at the target alone, whose findings ``target_findings`` gives: the host's own."""
STEPS_AFTER_TARGET: Final = STEPS[_OF_TARGET + 1 :]
"""The steps after it."""

"""Targets that are answered alike: what is worked out for the first of them is the answer for all.

A fleet has far fewer kinds of targets than VMs. Two VMs of one subnet, with the same security group on their NICs, in the
same application security groups and with the same operating system, fare alike with a Bastion unless a rule tells their
addresses apart. A step that names the VM in what it finds is asked for each; most that stands in the way does so.
"""

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.bastion_host import BastionHost
from bastion_operator.network.finding import Finding
from bastion_operator.network.reachability.target import Target
from bastion_operator.network.reachability.verdict import Candidate, Method, Via

Part = tuple[Finding, ...] | Callable[[Any], Iterable[Finding]]
"""What a step finds of every target that is alike; or the step (it takes a Question), to be asked for each by itself."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one Bastion makes of every target that is alike: the findings before and after those of the target itself."""

    bastion: BastionHost
    via: Via | None
    methods: tuple[Method, ...]
    before: tuple[Finding, ...]
    after: tuple[Part, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing is left to be asked for each target."""
        return all(isinstance(part, tuple) for part in self.after)


@dataclass(frozen=True, slots=True)
class SharedAnswers:
    """The same for every Bastion in question.

    ``candidates``: in their order, for a target without a finding of its own; None where each is to be asked about by itself.
    """

    each: tuple[Answer, ...]
    candidates: tuple[Candidate, ...] | None


@dataclass(slots=True)
class TargetClass:
    """Targets that differ in their addresses alone. Between two ``edges`` (sorted) no rule tells them apart.

    ``answers`` is by the number of edges at or below the address; None where each target has to be judged by itself.
    ``groups``: lower-cased ids of the security groups that the answers hang on.
    """

    edges: tuple[int, ...]
    groups: frozenset[str]
    answers: dict[int, SharedAnswers | None] = field(default_factory=dict)

    def part(self, address: int) -> int:
        """The part that an address lies in."""
        return bisect_right(self.edges, address)


def class_key(target: Target, asked: Hashable) -> Hashable | None:
    """What two targets have in common that are answered alike; None for a target whose address or place is not known."""
    if target.subnet is None or target.interface is None or len(target.addresses) != 1:
        return None
    return (
        target.subnet.key,
        target.interface.network_security_group_id,
        target.application_security_groups,
        target.vm.operating_system,
        target.vm.tenant_id,
        asked,
    )


def groups_of(target: Target) -> frozenset[str]:
    """Lower-cased ids of the security groups in front of the target."""
    return frozenset(map(normalise_id, target.security_group_ids))


def own_names(target: Target) -> tuple[str, ...]:
    """What a finding that is about the VM, its NIC or its address says in its message or names as its resource."""
    interface = () if target.interface is None else (target.interface.id,)
    return (target.vm.name, target.address_text, target.vm.id, *interface)


def names_any(item: Finding, names: tuple[str, ...]) -> bool:
    """Whether a finding speaks of what is so called."""
    told = item.message if item.fix is None else f"{item.message}\n{item.fix}"
    return item.resource in names or any(name in told for name in names)

"""What the operator would do about custom resources, pass after pass, until nothing is left to do. Nothing is written.

Plans are made as the operator makes them, and carried out on a copy of the estate; so what depends on a change is seen as well.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bastion_operator.api.bastion_host import BastionHost, SecurityPolicy
from bastion_operator.api.common import Claim, ManagementPolicy
from bastion_operator.api.conditions import Reason
from bastion_operator.api.vnet_peering import VNetPeering
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.finding import Finding, FindingClass
from bastion_operator.network.foreseen.rows import ForeseenRows
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import judge_all
from bastion_operator.network.resource_types import VIRTUAL_NETWORKS
from bastion_operator.planning.bastion_diagnostics import is_settings, settings_after
from bastion_operator.planning.bastion_host import plan_with_targets
from bastion_operator.planning.bastion_input import BastionHostInput, bastion_host_ids
from bastion_operator.planning.estate import Estate
from bastion_operator.planning.model import SYNC_REMOTE_ADDRESS_SPACE, Body, Change, Plan, Verb, Wait
from bastion_operator.planning.ownership import Owner
from bastion_operator.planning.peering_members import matching_networks
from bastion_operator.planning.rule_mark import RuleMark
from bastion_operator.planning.target_rules import TargetRules, find_target_rules
from bastion_operator.planning.targets import target_machines
from bastion_operator.planning.vnet_peering import VNetPeeringInput, plan_vnet_peering

MOST_PASSES: Final = 40
"""A host that is made anew takes some ten; a plan that never rests would be a defect."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A custom resource with the owner that it is in Azure, and the claims that its status holds."""

    resource: BastionHost | VNetPeering
    owner: Owner
    claims: tuple[Claim, ...] = ()

    @property
    def watching(self) -> bool:
        """Nothing is written for it."""
        return self.resource.spec.management_policy is ManagementPolicy.OBSERVE or self.resource.spec.suspend


@dataclass(frozen=True, slots=True)
class Step:
    """A change, the pass in which it comes (from 1), and the custom resource that asks for it."""

    number: int
    asked: Asked
    change: Change


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is told of one custom resource at the end.

    :ivar told: changes that are told and not made, because the spec only observes or audits
    :ivar obstacles: what keeps it from going on
    :ivar notes: what is to be known of security rules and of networks that left a selector
    """

    asked: Asked
    told: tuple[Change, ...] = ()
    obstacles: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()
    waits: tuple[Wait, ...] = ()


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The changes in their order, what is told of each custom resource, and the estate afterwards.

    :ivar rests: whether nothing is left to do; else MOST_PASSES were too few
    """

    steps: tuple[Step, ...]
    outlooks: tuple[Outlook, ...]
    after: Inventory
    rests: bool = True


@dataclass(frozen=True, slots=True)
class _World:
    """The copy of the estate.

    :ivar settings: collections of diagnostic settings by normalised id, which no inventory holds: those that changes made
    """

    inventory: Inventory
    settings: Mapping[str, Body]

    @property
    def estate(self) -> Estate:
        """As plans see it."""
        return Estate(self.inventory, self.settings)

    def after(self, changes: Sequence[Change]) -> "_World":
        """The same with these changes carried out."""
        if not changes:
            return self
        rows, settings = ForeseenRows(self.inventory), dict(self.settings)
        for change in changes:
            if is_settings(change.root_id):
                key = normalise_id(change.root_id)
                settings[key] = settings_after(settings.get(key, {}), change)
            elif change.verb is Verb.DELETE:
                rows.delete(change.resource_id)
            else:
                rows.put(change.resource_id, change.body or {}, sync=SYNC_REMOTE_ADDRESS_SPACE in change.query)
        return _World(rows.inventory(), settings)


def foresee(inventory: Inventory, asked: Sequence[Asked], now: datetime) -> Foreseen:
    """Everything that the operator would do about these custom resources, from this estate on.

    In a pass each is planned on what those before it have changed: the operator reads again before it writes.
    """
    steps: list[Step] = []
    current = list(asked)
    plans: list[Plan] = []
    world = _World(inventory, {})
    rests = False
    for number in range(1, MOST_PASSES + 1):
        before, known = list(current), len(steps)
        plans = []
        for place, each in enumerate(before):
            plan = _plan(each, world, now)
            plans.append(plan)
            current[place] = replace(each, claims=plan.claims)
            if not each.watching:
                made = [Step(number, each, change) for change in _unsent(plan.changes, steps)]
                world = world.after([step.change for step in made])
                steps += made
        rests = len(steps) == known and current == before
        if rests:
            break
    return Foreseen(
        tuple(steps),
        tuple(_outlook(each, plan, world, now) for each, plan in zip(current, plans, strict=True)),
        world.inventory,
        rests,
    )


def _plan(asked: Asked, world: _World, now: datetime) -> Plan:
    resource = asked.resource
    if isinstance(resource, VNetPeering):
        return plan_vnet_peering(_peering_input(asked, resource, world, now))
    ids = bastion_host_ids(resource.metadata.name, resource.spec)
    given = BastionHostInput(
        asked.owner,
        resource.spec,
        ids,
        asked.claims,
        world.estate,
        now,
        recreate_failed=resource.metadata.recreate_failed,
        allow_plan=resource.metadata.allow_plan,
    )
    return plan_with_targets(given, _target_rules(given, world.inventory))


def _peering_input(asked: Asked, resource: VNetPeering, world: _World, now: datetime) -> VNetPeeringInput:
    selector = resource.spec.spoke_selector
    found = () if selector is None else matching_networks(selector, world.inventory.rows(VIRTUAL_NETWORKS))
    allowed = resource.metadata.allow_plan
    return VNetPeeringInput(asked.owner, resource.spec, asked.claims, world.estate, now, found, allow_plan=allowed)


def _target_rules(asked: BastionHostInput, inventory: Inventory) -> TargetRules | None:
    if asked.spec.network_security.targets is SecurityPolicy.OFF:
        return None
    machines = [machine.id for machine in target_machines(inventory, asked.spec)]
    protocols = asked.spec.targets.protocols or (None,)
    verdicts = judge_all(inventory, vm_ids=machines, protocols=protocols, bastion_ids=[asked.ids.host])
    return find_target_rules(inventory, asked.spec, RuleMark(asked.owner, asked.ids.host), verdicts)


def _unsent(changes: Iterable[Change], steps: Iterable[Step]) -> Iterable[Change]:
    """Changes but for cures that were tried: they are sent once."""
    tried = {step.change.resource_id.lower() for step in steps if step.change.once}
    return (change for change in changes if not (change.once and change.resource_id.lower() in tried))


def _outlook(asked: Asked, plan: Plan, world: _World, now: datetime) -> Outlook:
    told = plan.changes if asked.watching else ()
    notes = (*_nothing_selected(asked, world, now), *plan.told)
    return Outlook(asked, (*told, *plan.audited), plan.obstacles, notes, plan.waits)


def _nothing_selected(asked: Asked, world: _World, now: datetime) -> Iterable[Finding]:
    """What the condition Connected tells of a selector that finds no network, where no spoke is listed either."""
    resource = asked.resource
    if not isinstance(resource, VNetPeering) or (selector := resource.spec.spoke_selector) is None:
        return
    if not _peering_input(asked, resource, world, now).members.pairs:
        tags = ", ".join(f"{name}={value}" for name, value in sorted(selector.tags.items()))
        word = "tags" if len(selector.tags) > 1 else "tag"
        yield Finding(Reason.NOTHING_SELECTED, FindingClass.WARNING, f"no network has the {word} {tags}")

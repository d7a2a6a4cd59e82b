"""Verdicts that stand while the inventory changes: after a change, those that it may turn are worked out again."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability.dependents import EVERYTHING, MACHINES, Dependents, reach_of
from bastion_operator.network.reachability.evaluation import Evaluation
from bastion_operator.network.reachability.judge import judge_machine, questions
from bastion_operator.network.reachability.verdict import Protocol, Verdict
from bastion_operator.network.rows_by_type import KeysByType


@dataclass(frozen=True, slots=True)
class Turn:
    """What a change came to: the verdicts that are otherwise now, the ids of VMs that have none any more, and the effort.

    ``turned`` is in the order of the verdicts, ``gone`` are lower-cased ids, ``judged`` is the number of VMs looked at.
    """

    turned: tuple[Verdict, ...]
    gone: frozenset[str]
    judged: int


class StandingVerdicts:
    """The verdicts on an inventory's VMs, kept true by ``update``. Not to be shared between threads."""

    def __init__(
        self,
        inventory: Inventory,
        *,
        vm_ids: Iterable[str] | None = None,
        protocols: Sequence[Protocol | str | None] = (None,),
        port: int | None = None,
        bastion_ids: Iterable[str] | None = None,
    ) -> None:
        """Asks as ``judge_all`` does, and answers the same."""
        self._protocols = tuple(None if protocol is None else Protocol(protocol) for protocol in protocols)
        self._port = port
        self._only = None if bastion_ids is None else tuple(bastion_ids)
        self._evaluation = Evaluation(inventory)
        self._dependents = Dependents()
        self._verdicts: dict[str, tuple[Verdict, ...]] = {}
        self._chosen = _keys(vm_ids)
        self._judge(self._scope())

    @property
    def inventory(self) -> Inventory:
        """What the verdicts are about."""
        return self._evaluation.inventory

    def __iter__(self) -> Iterator[Verdict]:
        """All verdicts, sorted by VM (its id without case), protocol and port."""
        for _, verdicts in sorted(self._verdicts.items(), key=lambda item: item[1][0].vm.lower()):
            yield from verdicts

    def __len__(self) -> int:
        return sum(map(len, self._verdicts.values()))

    def update(self, inventory: Inventory, vm_ids: Iterable[str] | None = None) -> Turn:
        """Goes on with a later inventory, best one that was made by ``Inventory.patched``, and with the VMs asked for now.

        ``vm_ids``: None stands for all.
        """
        before = self._evaluation
        changes = inventory.differences(before.inventory)
        after = Evaluation(inventory)
        known = before.inventory
        comparable = (inventory.types_read, inventory.refused) == (known.types_read, known.refused)
        reach = reach_of(changes, before, after, self._dependents) if comparable else EVERYTHING
        if reach.light:
            before.move(inventory, reach.groups)
        else:
            self._evaluation = after
        gone, arrived = self._rescoped(_keys(vm_ids), changes)
        for key in gone:
            del self._verdicts[key]
            self._dependents.remove(key)
        if reach.machines is None:
            return self._judge(self._scope(), gone)
        reached = {key for key in reach.machines if key in self._verdicts} | arrived
        if reach.bastions:
            reached |= {key for key, verdicts in self._verdicts.items() if _served(verdicts, reach.bastions)}
        return self._judge(reached, gone)

    def _scope(self) -> Iterable[str]:
        """The VMs that are asked about and there."""
        machines = self.inventory.virtual_machines
        return machines.keys() if self._chosen is None else [key for key in self._chosen if key in machines]

    def _rescoped(self, chosen: frozenset[str] | None, changes: KeysByType) -> tuple[set[str], set[str]]:
        """The VMs that go out of scope and those that come in."""
        was, self._chosen = self._chosen, chosen
        if chosen == was:
            touched = {key for kind in MACHINES for key in changes.get(kind, ())}
            if chosen is not None:
                touched &= chosen
            there = {key for key in touched if key in self.inventory.virtual_machines}
            # Key by key: a set less a dictionary's keys is a walk through all of these.
            known = {key for key in touched if key in self._verdicts}
            return known - there, there - known
        scope = set(self._scope())
        return self._verdicts.keys() - scope, scope - self._verdicts.keys()

    def _judge(self, keys: Iterable[str], gone: Iterable[str] = ()) -> Turn:
        machines, turned, judged = self.inventory.virtual_machines, [], 0
        for key in sorted(keys):
            vm = machines[key]
            target = self._evaluation.target(vm)
            asked = questions(vm.operating_system, self._protocols, self._port)
            verdicts = tuple(judge_machine(self._evaluation, vm, asked, self._only, target))
            known = self._verdicts.get(key, ())
            turned += [verdict for verdict in verdicts if verdict not in known]
            self._verdicts[key] = verdicts
            self._dependents.put(target)
            judged += 1
        return Turn(tuple(turned), frozenset(gone), judged)


def _keys(vm_ids: Iterable[str] | None) -> frozenset[str] | None:
    return None if vm_ids is None else frozenset(map(normalise_id, vm_ids))


def _served(verdicts: tuple[Verdict, ...], bastions: frozenset[str]) -> bool:
    return any(normalise_id(one.bastion) in bastions for verdict in verdicts for one in verdict.candidates)

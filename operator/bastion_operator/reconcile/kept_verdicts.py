"""The verdicts of each BastionHost, kept from pass to pass: what changes in Azure is judged, and nothing else."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from bastion_operator.api.bastion_host import BastionHostSpec
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import StandingVerdicts, Verdict
from bastion_operator.planning.targets import target_machines
from bastion_operator.reconcile.keys import Key


@dataclass(slots=True)
class KeptVerdicts:
    """By the BastionHost's key. Passes of different keys may ask side by side, in threads; two of one key do not occur."""

    _kept: dict[Key, tuple[Hashable, StandingVerdicts]] = field(default_factory=dict)

    def judge(self, key: Key, inventory: Inventory, spec: BastionHostSpec, host_id: str) -> list[Verdict]:
        """A verdict on each VM that the spec asks for, as this host alone reaches it."""
        machines = [machine.id for machine in target_machines(inventory, spec)]
        protocols: Sequence[str | None] = spec.targets.protocols or (None,)
        question = (host_id, tuple(protocols))
        # Taken out meanwhile: what fails half way is not gone on with.
        known = self._kept.pop(key, None)
        if known is not None and known[0] == question:
            standing = known[1]
            standing.update(inventory, machines)
        else:
            standing = StandingVerdicts(inventory, vm_ids=machines, protocols=protocols, bastion_ids=[host_id])
        self._kept[key] = question, standing
        return list(standing)

    def forget(self, key: Key) -> None:
        """The BastionHost is gone."""
        self._kept.pop(key, None)

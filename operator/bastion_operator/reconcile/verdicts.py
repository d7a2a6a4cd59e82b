"""The verdicts of one BastionHost, worked out off the event loop."""

import asyncio

from bastion_operator.api.bastion_host import BastionHostSpec
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import judge_all
from bastion_operator.network.reachability.verdict import Verdict
from bastion_operator.planning.targets import target_machines


async def judge_targets(inventory: Inventory, spec: BastionHostSpec, host_id: str) -> list[Verdict]:
    """A verdict on each VM that the spec asks for, as this host alone reaches it."""
    return await asyncio.to_thread(_judge, inventory, spec, host_id)


def _judge(inventory: Inventory, spec: BastionHostSpec, host_id: str) -> list[Verdict]:
    machines = [machine.id for machine in target_machines(inventory, spec)]
    if not machines:
        return []
    return judge_all(inventory, vm_ids=machines, protocols=spec.targets.protocols or (None,), bastion_ids=[host_id])

"""`kubectl bastion explain`: one verdict, the way that it is about, and what mends it."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bastion_operator.cli.errors import Refusal
from bastion_operator.cli.explanation import Explanation, Mended
from bastion_operator.cli.selection import Choice, bastion_ids, machine_ids
from bastion_operator.cli.sources import Cluster, Source, read_inventory
from bastion_operator.network.fixes import WITHOUT_FIX, az_commands
from bastion_operator.network.fixes import explain as with_fixes
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Evaluation, Verdict, judge
from bastion_operator.network.trace import trace
from bastion_operator.planning.fix_fields import Mending, fix_fields

if TYPE_CHECKING:
    from bastion_operator.cli.sources.cluster import OpenCluster


@dataclass(frozen=True, slots=True)
class ExplainOptions:
    """What was given on the command line."""

    source: Source
    vm: str
    bastion: str | None
    protocol: str | None
    port: int | None
    output: str


def run_explain(options: ExplainOptions) -> None:
    """Reads, judges and shows. Raises click.ClickException for what the user can mend."""
    from bastion_operator.cli.explanation_text import show_explanation  # noqa: PLC0415

    if isinstance(options.source, Cluster):
        explanations = _published(options.source, options)
    else:
        explanations = [explanation(read_inventory(options.source), options)]
    show_explanation(explanations, options.output)


def explanation(inventory: Inventory, options: ExplainOptions) -> Explanation:
    """All that an estate tells of the way to a VM. Raises Refusal for a name that fits no VM, or several."""
    [vm] = machine_ids(inventory, [options.vm])
    bastions = None if options.bastion is None else bastion_ids(inventory, [options.bastion])
    evaluation = Evaluation(inventory)
    protocol = None if options.protocol is None else options.protocol.upper()
    verdict = judge(inventory, vm, protocol=protocol, port=options.port, bastion_ids=bastions, evaluation=evaluation)
    told = with_fixes(verdict, inventory, evaluation=evaluation)
    way = trace(evaluation, verdict, named=protocol is not None)
    return Explanation(told, way, _mended(told, _networks(evaluation, told)))


def _networks(evaluation: Evaluation, verdict: Verdict) -> tuple[str | None, str | None]:
    """The VNets of the Bastion and of the VM."""
    bastion = evaluation.inventory.bastion(verdict.bastion)
    vm = evaluation.inventory.virtual_machine(verdict.vm)
    target = None if vm is None else evaluation.target(vm)
    return (None if bastion is None else bastion.virtual_network_id), (None if target is None else target.network_id)


def _mended(verdict: Verdict, networks: tuple[str | None, str | None]) -> tuple[Mended, ...]:
    """Each reason with its ways out; warnings are told where they have one."""
    reasons = tuple(
        Mended(
            finding,
            fix_fields(Mending(verdict, finding, *networks)),
            () if finding.fix is None else az_commands(finding.fix),
            WITHOUT_FIX.get(finding.code) if finding.fix is None else None,
        )
        for finding in (*verdict.reasons, *verdict.warnings)
    )
    return tuple(one for one in reasons if one.finding in verdict.reasons or one.finding.fix is not None)


def _published(source: Cluster, options: ExplainOptions) -> list[Explanation]:
    """What the operator's reports tell of the VM: a verdict for each protocol and port that they have."""
    from bastion_operator.cli.published import chosen_of, networks_of, published_verdicts  # noqa: PLC0415
    from bastion_operator.cli.sources.cluster import open_cluster  # noqa: PLC0415  kubernetes is loaded when it is asked

    async def read() -> tuple[list[Verdict], dict[str, str], dict[str, str]]:
        async with open_cluster(source) as cluster:
            reports = await cluster.reports()
            return published_verdicts(reports), networks_of(reports), await _host_networks(cluster)

    verdicts, networks, hosts = asyncio.run(read())
    choice = Choice(vms=(options.vm,), bastions=() if options.bastion is None else (options.bastion,))
    found = chosen_of(verdicts, choice, options.protocol, options.port)
    if not found:
        raise Refusal(
            f"the reports tell nothing of {options.vm} by that protocol, port and Bastion",
            "leave --protocol, --port and --bastion out, or ask Azure itself with --azure",
        )
    return [
        Explanation(one, None, _mended(one, (hosts.get((one.bastion or "").lower()), networks.get(one.vm.lower()))))
        for one in found
    ]


async def _host_networks(cluster: "OpenCluster") -> dict[str, str]:
    """The VNet of each Bastion (its id in lower case) as its BastionHost names it; empty for who may not read these."""
    from bastion_operator.api.bastion_host import BastionHost  # noqa: PLC0415  the custom resources' models

    try:
        found = await cluster.objects(BastionHost)
    except Refusal:
        return {}
    told = ((raw.get("status") or {}, raw.get("spec") or {}) for raw in found)
    return {
        str(status["bastionID"]).lower(): str(spec["virtualNetworkID"])
        for status, spec in told
        if "bastionID" in status and "virtualNetworkID" in spec
    }

"""`kubectl bastion what-if`: what custom resources, or the plan of another tool, would do. Nothing is written."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from bastion_operator.cli.errors import Refusal
from bastion_operator.cli.manifests import Manifest, read_manifests, refuse_wrong, resource_of
from bastion_operator.cli.program import EXIT_CHECK_FAILED
from bastion_operator.cli.progress import progress
from bastion_operator.cli.sources import Azure, Cluster, Source, read_inventory
from bastion_operator.cli.what_if_output import Outcome, show_outcome
from bastion_operator.network.foreseen.arm_what_if import read_arm_what_if
from bastion_operator.network.foreseen.doubts import doubted
from bastion_operator.network.foreseen.plan import ForeignPlan, PlanFileError, apply_plan
from bastion_operator.network.foreseen.terraform import read_terraform_plan
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Verdict, judge_all
from bastion_operator.network.verdict_changes import Kind, VerdictChange, verdict_changes
from bastion_operator.planning.foreseeing import MOST_PASSES, Asked, foresee
from bastion_operator.planning.ownership import Owner, installation_of


@dataclass(frozen=True, slots=True)
class WhatIfOptions:
    """What was given on the command line."""

    source: Source
    manifests: tuple[str, ...] = ()
    terraform: str | None = None
    arm: str | None = None
    new_in: str | None = None
    output: str = "text"
    fail_on_loss: bool = False


@dataclass(frozen=True, slots=True)
class _Held:
    """What the cluster holds of the custom resources: them as they would be, and the UID by which it is known."""

    manifests: Sequence[Manifest]
    cluster: str | None = None
    namespace: str = "default"


def run_what_if(options: WhatIfOptions) -> int:
    """Reads, foresees and shows; returns the exit code. Raises Refusal."""
    if sum(map(bool, (options.manifests, options.terraform, options.arm))) != 1:
        raise click.UsageError("give one of -f FILE, --terraform PLAN.json and --arm WHATIF.json")
    if options.new_in is not None and options.terraform is None:
        raise click.UsageError("--new-in is for a plan of Terraform's: give --terraform as well")
    outcome = _of_manifests(options) if options.manifests else _of_plan(options)
    show_outcome(outcome, options.output)
    return EXIT_CHECK_FAILED if options.fail_on_loss and any(each.kind is Kind.LOST for each in outcome.turned) else 0


def _estate(source: Source) -> Inventory:
    """Of a cluster, which holds no estate, Azure as the user sees it."""
    return read_inventory(Azure() if isinstance(source, Cluster) else source)


def _judged(inventory: Inventory) -> list[Verdict]:
    with progress("judging VMs"):
        return judge_all(inventory)


def _turned(verdicts: list[Verdict], before: Inventory, after: Inventory) -> list[VerdictChange]:
    """What would be otherwise, losses first."""
    changes = verdict_changes(_judged(before), verdicts, (before, after))
    return [each for each in changes if each.kind is not Kind.SAME]


def _of_manifests(options: WhatIfOptions) -> Outcome:
    manifests = read_manifests(options.manifests)
    held = _Held(manifests)
    if not isinstance(options.source, Cluster):
        refuse_wrong(manifests)
    else:
        for each in manifests:
            resource_of(each)
        held = asyncio.run(_as_the_cluster_would_hold(options.source, manifests))
    inventory = _estate(options.source)
    asked = [_asked(each, inventory, held) for each in held.manifests]
    foreseen = foresee(inventory, asked, datetime.now(UTC))
    if not foreseen.rests:
        click.echo(
            f"stopped after {MOST_PASSES} passes with something still to do: of what comes later nothing is told",
            err=True,
        )
    if foreseen.steps and not all(each.owner.installation_id for each in asked):
        click.echo(
            "names of new peerings and rules are examples: each installation of the operator has its own", err=True
        )
    return Outcome(_turned(_judged(foreseen.after), inventory, foreseen.after), foreseen=foreseen)


def _asked(manifest: Manifest, inventory: Inventory, held: _Held) -> Asked:
    resource = resource_of(manifest)
    namespace = resource.metadata.namespace or held.namespace
    installation = installation_of(inventory, namespace, resource.metadata.name) or held.cluster or ""
    owner = Owner(installation, namespace, resource.metadata.name, resource.metadata.uid)
    return Asked(resource, owner, resource.status.claims if resource.status is not None else ())


async def _as_the_cluster_would_hold(source: Cluster, manifests: Sequence[Manifest]) -> _Held:
    """The custom resources as the API server would store them, with the status that they have; it refuses what is not valid."""
    from bastion_operator.cli.sources.cluster import open_cluster, told_kube_error  # noqa: PLC0415  only with a cluster
    from bastion_operator.kube.cluster import cluster_uid  # noqa: PLC0415
    from bastion_operator.kube.dry_run import dry_run  # noqa: PLC0415
    from bastion_operator.kube.errors import ForbiddenError  # noqa: PLC0415

    async with open_cluster(source) as cluster:
        namespace = cluster.namespace or "default"
        found = []
        for each in manifests:
            placed = {**each, "metadata": {"namespace": namespace, **each["metadata"]}}
            try:
                with told_kube_error():
                    found.append(await dry_run(cluster.client, placed))
            except Refusal as refusal:
                if isinstance(refusal.__cause__, ForbiddenError):
                    raise Refusal(
                        refusal.message,
                        "ask for patch on it, which a dry run needs, or give --azure, which leaves the cluster out",
                    ) from refusal
                raise
        try:
            uid = await cluster_uid(cluster.client)
        except ForbiddenError:
            # Marks in Azure may tell the installation; without them names of new peerings are not those to come.
            uid = None
        return _Held(found, uid, namespace)


def _of_plan(options: WhatIfOptions) -> Outcome:
    plan = _read_plan(options)
    inventory = _estate(options.source)
    after = apply_plan(inventory, plan)
    verdicts = list(doubted(_judged(after), after, plan))
    return Outcome(_turned(verdicts, inventory, after), plan=plan)


def _read_plan(options: WhatIfOptions) -> ForeignPlan:
    name = options.terraform or options.arm or ""
    try:
        content = Path(name).read_bytes()
        if options.terraform is not None:
            return read_terraform_plan(name, content, options.new_in)
        return read_arm_what_if(name, content)
    except OSError as error:
        raise Refusal(
            f"{name} cannot be read: {error.strerror or error}", "check the name of the plan's file"
        ) from error
    except PlanFileError as error:
        raise Refusal(str(error), error.remedy) from error

"""`kubectl bastion doctor`: the checks of a source, and how they are shown."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

import click
import orjson

from bastion_operator.cli.doctor.check import Check, Result
from bastion_operator.cli.program import EXIT_CHECK_FAILED
from bastion_operator.cli.sources import Azure, Cluster, Files, Source, read_inventory
from bastion_operator.cli.terminal import coloured

if TYPE_CHECKING:
    from bastion_operator.kube.client import KubeClient

_COLOURS = {Result.OK: "green", Result.WARNING: "yellow", Result.FAILED: "red", Result.UNKNOWN: "yellow"}


def run_doctor(source: Source, operator_namespace: str, output: str) -> int:
    """Checks and shows; returns the exit code. Raises Refusal where the source cannot be asked at all."""
    checks = asyncio.run(_gathered(source, operator_namespace))
    _show(checks, output)
    return EXIT_CHECK_FAILED if any(each.result is Result.FAILED for each in checks) else 0


async def _gathered(source: Source, namespace: str) -> list[Check]:
    match source:
        case Cluster():
            return [each async for each in _of_cluster(source, namespace)]
        case Azure():
            return [each async for each in _of_azure(source)]
        case Files():
            from bastion_operator.cli.doctor.limits import check_limits  # noqa: PLC0415  only with an estate

            return list(check_limits(read_inventory(source)))


async def _of_cluster(source: Cluster, namespace: str) -> AsyncIterator[Check]:
    from bastion_operator.cli.doctor import installation  # noqa: PLC0415  only with a cluster
    from bastion_operator.cli.doctor.check import unknown  # noqa: PLC0415
    from bastion_operator.cli.doctor.deployment import find_operator  # noqa: PLC0415
    from bastion_operator.cli.sources.cluster import open_cluster, told_kube_error  # noqa: PLC0415
    from bastion_operator.kube.errors import ForbiddenError  # noqa: PLC0415

    async with open_cluster(source) as cluster:
        client = cluster.client
        with told_kube_error():
            async for check in installation.check_api_server(client):
                yield check
            missing = False
            async for check in installation.check_crds(client):
                missing |= check.result is Result.FAILED
                yield check
            found = None
            try:
                found = await find_operator(client, namespace)
            except ForbiddenError:
                told = f"you may not list Deployments in namespace {namespace}"
                yield unknown("operator", told, "ask for list on deployments there")
            else:
                for check in installation.check_operator(found, namespace):
                    yield check
            async for check in installation.check_rights(client, namespace, found):
                yield check
            if not missing:
                async for check in _of_resources(client, namespace, cluster.namespace):
                    yield check


async def _of_resources(client: "KubeClient", operator_namespace: str, namespace: str | None) -> AsyncIterator[Check]:
    from bastion_operator.api import AzureIdentity, BastionHost, VNetPeering  # noqa: PLC0415  only with a cluster
    from bastion_operator.cli.doctor import resources  # noqa: PLC0415
    from bastion_operator.cli.doctor.check import unknown  # noqa: PLC0415
    from bastion_operator.cli.doctor.inventory_age import check_inventory_age  # noqa: PLC0415
    from bastion_operator.kube.errors import ForbiddenError  # noqa: PLC0415
    from bastion_operator.kube.resources import list_objects  # noqa: PLC0415

    try:
        identities = await list_objects(client, AzureIdentity)
    except ForbiddenError as error:
        yield unknown("identities", error.said or str(error), "ask for list on azureidentities.azurebastion.dev")
    else:
        for check in resources.check_identities(identities):
            yield check
    try:
        found = [each for kind in (BastionHost, VNetPeering) for each in await list_objects(client, kind, namespace)]
    except ForbiddenError as error:
        found = []
        yield unknown("custom resources", error.said or str(error), "ask for list on them, or give -n where you may")
    else:
        for check in (
            *resources.check_azure_rights(found),
            *resources.check_inventory(found),
            *resources.check_resources(found),
        ):
            yield check
    yield await check_inventory_age(client, operator_namespace, found)


async def _of_azure(source: Azure) -> AsyncIterator[Check]:
    from bastion_operator.cli.doctor.azure import check_login_rights  # noqa: PLC0415  Azure's libraries
    from bastion_operator.cli.doctor.check import ok  # noqa: PLC0415
    from bastion_operator.cli.doctor.limits import check_usages  # noqa: PLC0415
    from bastion_operator.cli.sources.azure import live_azure  # noqa: PLC0415

    async with live_azure(source) as azure:
        yield ok("login", f"it works, and sees {len(azure.subscriptions)} subscriptions")
        async for check in check_login_rights(azure.client, azure.subscriptions):
            yield check
        async for check in check_usages(azure.client, await azure.inventory()):
            yield check


def _show(checks: Sequence[Check], output: str) -> None:
    if output == "text":
        for each in checks:
            word = coloured(f"{each.result.value:<7}", _COLOURS[each.result])
            click.echo(f"{word} {each.name}: {each.message}")
            if each.fix:
                click.echo(f"        fix: {each.fix}")
        return
    documents = [
        {"check": each.name, "result": each.result.value, "message": each.message, "fix": each.fix or None}
        for each in checks
    ]
    if output == "json":
        click.echo(orjson.dumps(documents, option=orjson.OPT_INDENT_2))
        return
    import yaml  # noqa: PLC0415  only when YAML is asked

    click.echo(yaml.safe_dump(documents, sort_keys=False), nl=False)

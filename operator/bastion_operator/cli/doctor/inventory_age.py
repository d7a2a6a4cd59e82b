"""How old the operator's inventory is, by its own metric, read from its pods through the API server's proxy."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from prometheus_client.parser import text_string_to_metric_families

from bastion_operator.api.duration import parse
from bastion_operator.cli.doctor.check import Check, ok, unknown, warning
from bastion_operator.kube.client import KubeClient
from bastion_operator.kube.errors import ForbiddenError, KubeError

Raw = Mapping[str, Any]
METRIC: Final = "azurebastion_inventory_age_seconds"
_CHECK: Final = "age of the inventory"
_PODS: Final = "app.kubernetes.io/name=bastion-operator"
_DEFAULT_INTERVAL: Final = 300.0
_INTERVALS: Final = 3
_ASK: Final = f"ask for get on pods and pods/proxy there, or look at the metric {METRIC}"
_LATE: Final = "see the identity's check, the operator's log, and whether it reaches Azure (docs/runbooks/BastionOperatorInventoryOld.md)"


async def check_inventory_age(client: KubeClient, namespace: str, resources: Iterable[Raw]) -> Check:
    """Of each identity; too old is what is older than three of the shortest interval that a custom resource asks for."""
    path = f"/api/v1/namespaces/{quote(namespace, safe='')}/pods"
    try:
        listed = await client.request("GET", path, query={"labelSelector": _PODS})
        pages = [await client.text(f"{path}/{page}/proxy/metrics") for page in _pages(listed.get("items") or ())]
        ages = ages_in(pages)
    except ForbiddenError as error:
        return unknown(_CHECK, f"you may not read the operator's metrics: {error.said or error}", _ASK)
    except KubeError as error:
        return unknown(
            _CHECK,
            f"the operator's metrics cannot be read: {error.said or error}",
            "see the operator's check; where the chart's networkPolicy.metricsFrom is set, the API server is kept out: "
            f"look at the metric {METRIC} in Prometheus",
        )
    except ValueError as error:
        return unknown(_CHECK, f"what the operator's pod answers is no page of metrics: {error}", _ASK)
    return judged_ages(ages, _INTERVALS * _shortest_interval(resources))


def _pages(pods: Iterable[Raw]) -> Iterator[str]:
    """The pods that run, each with the port of its metrics, as the API server's proxy takes them."""
    for pod in pods:
        ports = [port for container in pod["spec"]["containers"] for port in container.get("ports") or ()]
        found = next((port["containerPort"] for port in ports if port.get("name") == "metrics"), None)
        if found is not None and pod.get("status", {}).get("phase") == "Running":
            yield quote(f"{pod['metadata']['name']}:{found}", safe=":")


def ages_in(pages: Sequence[str]) -> dict[str, float]:
    """Seconds by identity. Of several pods the one that leads has the youngest."""
    ages: dict[str, float] = {}
    for page in pages:
        for family in text_string_to_metric_families(page):
            for sample in family.samples if family.name == METRIC else ():
                name = sample.labels.get("identity", "")
                ages[name] = min(sample.value, ages.get(name, math.inf))
    return ages


def judged_ages(ages: Mapping[str, float], most: float) -> Check:
    """What the ages come to; ``most`` in seconds."""
    if not ages:
        return unknown(
            _CHECK, "no pod of the operator tells of one", "see the checks of the operator and of the identities"
        )
    told = ", ".join(f"{age:.0f} s of {name}" for name, age in sorted(ages.items()))
    if max(ages.values()) > most:
        return warning(_CHECK, f"{told}; more than {most:.0f} s, three intervals, is old", _LATE)
    return ok(_CHECK, told)


def _shortest_interval(resources: Iterable[Raw]) -> float:
    told = (each.get("spec", {}).get("interval") for each in resources)
    return min((parse(text).total_seconds() for text in told if text), default=_DEFAULT_INTERVAL)

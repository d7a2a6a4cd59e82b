"""Custom resources that nobody should write: the API server judges them, and the operator survives those that it lets through.

They are made from the CRDs' own schemas, with places taken away, replaced and doubled.
"""

import itertools
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bastion_operator.api.azure_identity import AzureIdentity
from bastion_operator.api.bastion_host import BastionHost
from bastion_operator.api.crds import custom_resource_definition
from bastion_operator.api.meta import CustomResource
from bastion_operator.api.vnet_peering import VNetPeering
from tests.e2e.test_trouble_around import asked
from tests.faults.schema_values import Json, nearly, varied
from tests.support.lab import APPS_SUBSCRIPTION, HUB, HUB_SUBSCRIPTION, SHOP, Lab

FEW, MANY = 100, 5000
Figure = Callable[[str], None]
ELSEWHERE = "0a1b2c3d-0000-4000-8000-0000000000ff"
JSON = {"Content-Type": "application/json"}


def fields(lab: Lab) -> dict[str, st.SearchStrategy[Any]]:
    """What makes a resource one that the operator has work with: ids of what is there, and of what is not."""
    networks = [HUB, SHOP, SHOP.upper().replace("/SUBSCRIPTIONS", "/subscriptions"), f"{HUB}-missing"]
    networks.append(HUB.replace(HUB_SUBSCRIPTION, ELSEWHERE))
    subscription = st.sampled_from([HUB_SUBSCRIPTION, APPS_SUBSCRIPTION, ELSEWHERE])
    return {
        "virtualNetworkID": st.sampled_from(networks),
        "identityRef": st.just({"name": lab.namespace}),
        "spokes": st.lists(st.fixed_dictionaries({"virtualNetworkID": st.sampled_from(networks)}), max_size=3),
        "subscriptions": st.lists(subscription, max_size=2),
        "allowedSubscriptions": st.lists(subscription, max_size=2),
        "interval": st.sampled_from(["1m", "5m", "1h30m", "0s", "90000h"]),
        "leaveGrace": st.sampled_from(["1m", "24h", "-1m"]),
        "subnetPrefix": st.sampled_from(["Auto", "10.0.3.0/26", "10.0.0.0/8", "fd00::/64"]),
        "tenantID": st.just(lab.azure.tenant_id),
        "clientID": st.just(lab.azure.clients["operator"].client_id),
        "objectID": st.just(ELSEWHERE),
        "tags": st.dictionaries(st.sampled_from(["network", "NETWORK", "owner"]), st.text(max_size=5), max_size=2),
    }


def plain_specs(lab: Lab) -> dict[type[CustomResource], Json]:
    """A spec of each kind with which nothing is wrong."""
    identity = {"name": lab.namespace}
    principal = {"tenantID": lab.azure.tenant_id, "clientID": lab.azure.clients["operator"].client_id}
    return {
        BastionHost: {"identityRef": identity, "virtualNetworkID": HUB, "sku": "Basic", "subnetPrefix": "Auto"},
        VNetPeering: {
            "identityRef": identity,
            "hub": {"virtualNetworkID": HUB},
            "spokes": [{"virtualNetworkID": SHOP}],
        },
        AzureIdentity: {"type": "ServicePrincipal", "secretName": lab.namespace, **principal},
    }


def spec_schema(kind: type[CustomResource]) -> Json:
    version = custom_resource_definition(kind)["spec"]["versions"][0]
    return version["schema"]["openAPIV3Schema"]["properties"]["spec"]


def send_all(lab: Lab, number: int) -> tuple[int, int]:
    """POST so many; how many were accepted, and how many refused. Raises AssertionError for any other answer."""
    numbers, counts = itertools.count(), {True: 0, False: 0}
    drawn = {kind: varied(plain, spec_schema(kind), fields(lab)) for kind, plain in plain_specs(lab).items()}
    good = st.one_of(*(st.tuples(st.just(kind), nearly(each)) for kind, each in drawn.items()))

    @settings(
        max_examples=number,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    @given(good)
    def send(drawn: tuple[type[CustomResource], Json]) -> None:
        kind, spec = drawn
        names, name = kind.names, f"bad-{next(numbers)}"
        place = "" if names.scope == "Cluster" else f"/namespaces/{lab.namespace}"
        body = {"apiVersion": "azurebastion.dev/v1beta1", "kind": names.kind, "metadata": {"name": name}, "spec": spec}
        refusals = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
        path = f"/apis/azurebastion.dev/v1beta1{place}/{names.plural}"
        answer = lab.api.send("POST", path, json.dumps(body), JSON, HTTPStatus.CREATED, *refusals)
        counts[answer["kind"] == names.kind] += 1

    send()
    return counts[True], counts[False]


def looked_at(item: Json) -> bool:
    """Whether the operator has told something of the resource as it is now."""
    status = item.get("status", {})
    return bool(status.get("conditions")) and status["observedGeneration"] == item["metadata"]["generation"]


def survive(lab: Lab, number: int, figure: Figure) -> None:
    accepted, refused = send_all(lab, number)
    figure(f"bad custom resources: {accepted} accepted, {refused} refused")
    assert accepted > number / 20
    assert refused > number / 20
    identities = "/apis/azurebastion.dev/v1beta1/azureidentities"

    def untold() -> list[Json]:
        every = [*lab.objects("bh,vnp"), *lab.api.get(identities)["items"]]
        return [each for each in every if not looked_at(each)]

    seconds = 30 + number / 20
    lab.wait_for(lambda: not untold(), "each has conditions", seconds=seconds)
    reasons = {
        each["reason"]
        for item in lab.objects("bh,vnp")
        for each in item["status"]["conditions"]
        if each["type"] == "Ready"
    }
    assert "InternalError" not in reasons
    lab.kubectl("delete", "bh,vnp", "--all", "-n", lab.namespace, "--wait=false", timeout=seconds)
    lab.kubectl("patch", "azid", lab.namespace, "--type=merge", "-p", "{}")
    lab.wait_for(lambda: not lab.objects("bh,vnp"), "each deletion ends", seconds=seconds)
    assert asked(f"{lab.operator.probe_url}/healthz") == (200, "ok")
    log = lab.operator.log.read_text()
    assert "Traceback" not in log
    left = [each for each in lab.azure.resources() if "azurebastion-" in each]
    assert not left


def test_bad_resources_are_refused_or_told_and_harm_nothing(lab: Lab, figure: Figure) -> None:
    survive(lab, FEW, figure)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_thousands_of_bad_resources_are_refused_or_told_and_harm_nothing(lab: Lab, figure: Figure) -> None:
    survive(lab, MANY, figure)

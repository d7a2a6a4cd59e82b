"""What is refused without an API server, and what the real one refuses, of resources made from the CRDs' own schemas."""

import contextlib
import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bastion_operator.api.bastion_host import BastionHost
from bastion_operator.api.crds import custom_resource_definition
from bastion_operator.api.meta import CustomResource
from bastion_operator.api.server_rules import refusals
from bastion_operator.api.vnet_peering import VNetPeering
from dev.control_plane import ControlPlane
from tests.faults.schema_values import nearly, varied
from tests.support.api_connection import ApiConnection
from tests.support.estates import SUBSCRIPTION, vnet_id

pytestmark = pytest.mark.usefixtures("crds_served")

FEW, MANY = 200, 5000
HUB, SPOKE = vnet_id("hub"), vnet_id("spoke")
PLAIN: dict[type[CustomResource], dict[str, Any]] = {
    BastionHost: {"virtualNetworkID": HUB, "sku": "Basic", "subnetPrefix": "Auto"},
    VNetPeering: {"hub": {"virtualNetworkID": HUB}, "spokes": [{"virtualNetworkID": SPOKE}]},
}
FIELDS = {
    "virtualNetworkID": st.sampled_from([HUB, SPOKE, HUB.upper(), "hub"]),
    "hub": st.fixed_dictionaries({"virtualNetworkID": st.just(HUB)}),
    "spokes": st.lists(
        st.fixed_dictionaries({"virtualNetworkID": st.sampled_from([HUB, SPOKE, vnet_id("other"), HUB.swapcase()])}),
        max_size=3,
    ),
    "subscriptions": st.lists(st.just(SUBSCRIPTION), max_size=2),
    "interval": st.sampled_from(["1m", "5m", "1h30m", "0s", "59s999ms", "60s"]),
    "leaveGrace": st.sampled_from(["1m", "24h", "-1m"]),
    "subnetPrefix": st.sampled_from(["Auto", "10.0.3.0/26", "10.0.0.0/8", "10.0.0.1/26", "10.0.0.0/27", "fd00::/64"]),
    "tags": st.dictionaries(st.sampled_from(["network", "NETWORK", "a/b", "", "\n"]), st.text(max_size=5), max_size=2),
}


@pytest.fixture(scope="module")
def api(control_plane: ControlPlane) -> Iterator[ApiConnection]:
    with contextlib.closing(ApiConnection(control_plane)) as connection:
        yield connection


def test_both_refuse_the_same(api: ApiConnection) -> None:
    compare(api, FEW)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_both_refuse_the_same_of_thousands(api: ApiConnection) -> None:
    compare(api, MANY)


def compare(api: ApiConnection, number: int) -> None:
    drawn = (st.tuples(st.just(kind), nearly(varied(plain, _spec(kind), FIELDS))) for kind, plain in PLAIN.items())
    counts = {True: 0, False: 0}

    @settings(
        max_examples=number, database=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
    )
    @given(st.one_of(*drawn))
    def judge(drawn: tuple[type[CustomResource], Any]) -> None:
        kind, spec = drawn
        names = kind.names
        manifest = {
            "apiVersion": "azurebastion.dev/v1beta1",
            "kind": names.kind,
            "metadata": {"name": "it"},
            "spec": spec,
        }
        path = f"/apis/azurebastion.dev/v1beta1/namespaces/default/{names.plural}?dryRun=All&fieldValidation=Strict"
        fine = (HTTPStatus.CREATED, HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
        answer = api.send("POST", path, json.dumps(manifest), {"Content-Type": "application/json"}, *fine)
        refused, ours = answer["kind"] == "Status", list(refusals(kind, manifest))
        assert refused == bool(ours), (manifest, answer.get("message"), ours)
        counts[refused] += 1

    judge()
    assert min(counts.values()) > number / 20


def _spec(kind: type[CustomResource]) -> dict[str, Any]:
    version = custom_resource_definition(kind)["spec"]["versions"][0]
    spec: dict[str, Any] = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return spec

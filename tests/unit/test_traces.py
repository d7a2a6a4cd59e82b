"""Traces that nobody wants cost no import, a wrong endpoint is refused in a line, and spans have few names."""

import subprocess
import sys

import pytest

from bastion_operator.arm.trace_policy import type_in
from bastion_operator.traces import NoTraces, collector_url, traces_to
from tests.support.estates import SUBSCRIPTION, vnet_id

IMPORTED = (
    "import sys, bastion_operator.handlers.run\n"
    "print(sorted(each for each in sys.modules if each.partition('.')[0] == 'opentelemetry'))"
)


def test_without_an_endpoint_opentelemetry_is_not_imported() -> None:
    assert isinstance(traces_to(None, instance="here", ca_file=None), NoTraces)
    answer = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True)

    assert answer.stdout == "[]\n"


@pytest.mark.parametrize(
    "endpoint",
    [
        "collector:4318",
        "http://",
        "ftp://collector",
        "http://me:word@collector:4318",
        "http://collector:otlp",
        "http://collector:70000",
        "http://[::1",
    ],
)
def test_an_endpoint_that_is_none_is_refused_and_not_repeated(endpoint: str) -> None:
    with pytest.raises(ValueError, match="--traces-endpoint is no URL such as http://collector:4318") as told:
        collector_url(endpoint)

    assert "word" not in str(told.value)


@pytest.mark.parametrize("endpoint", ["http://collector:4318", "https://collector.example/team-a"])
def test_an_endpoint_is_taken_as_it_is_set(endpoint: str) -> None:
    assert collector_url(endpoint) == endpoint


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (vnet_id("hub"), "virtualNetworks"),
        (f"{vnet_id('hub')}/subnets/work", "virtualNetworks/subnets"),
        (vnet_id("hub").replace("/providers/", "/Providers/"), "virtualNetworks"),
        (f"{vnet_id('hub')}/providers/Microsoft.Insights/diagnosticSettings/logs", "diagnosticSettings"),
        ("/providers/Microsoft.ResourceGraph/resources", "resources"),
        (f"/subscriptions/{SUBSCRIPTION}", "subscriptions"),
        (f"/subscriptions/{SUBSCRIPTION}/resourceGroups/hub/", "subscriptions/resourceGroups"),
    ],
)
def test_the_name_of_a_call_holds_types_and_no_name_of_anything(path: str, name: str) -> None:
    assert type_in(path) == name

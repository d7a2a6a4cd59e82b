"""Regions of new resources: those that Azure has, in either spelling; what an estate holds lies where it lies."""

import pytest

from tests.support.arm import NET, SUB, Arm, network_body

NETWORK = f"{NET}/virtualNetworks/v"
GROUP = f"/subscriptions/{SUB}/resourceGroups/new"


@pytest.mark.parametrize("location", ["mars", "global", "west-europe", "²", "westeurope2"])
def test_a_region_that_there_is_not_is_refused(location: str) -> None:
    arm = Arm()
    answer = arm.put(NETWORK, {**network_body("10.0.0.0/16"), "location": location})
    assert (answer.status, answer.code) == (400, "LocationNotAvailableForResourceType")
    assert answer.message.startswith(
        f"The provided location '{location}' is not available for resource type 'Microsoft.Network/virtualNetworks'. List "
        "of available regions for the resource type is 'westeurope,northeurope,"
    )
    answer = arm.put(GROUP, {"location": location})
    assert (answer.status, answer.code) == (400, "LocationNotAvailableForResourceGroup")


@pytest.mark.parametrize("location", ["West Europe", "mexicocentral", "Poland Central", "australiacentral2"])
def test_a_region_is_taken_in_either_spelling(location: str) -> None:
    arm = Arm()
    answer = arm.put(NETWORK, {**network_body("10.0.0.0/16"), "location": location})
    assert (answer.status, answer.body["location"]) == (201, location.lower().replace(" ", ""))


def test_what_an_estate_has_elsewhere_is_written_and_joined_there() -> None:
    group = f"/subscriptions/{SUB}/resourceGroups/far"
    far = f"{group}/providers/Microsoft.Network/virtualNetworks/v"
    arm = Arm(estate=[{"id": far, **network_body("10.0.0.0/16"), "location": "mars"}])
    assert arm.put(far, arm.get(far).body).status == 200
    arm.wait()
    assert arm.put(f"{far}2", {**network_body("10.1.0.0/16"), "location": "Mars"}).status == 201

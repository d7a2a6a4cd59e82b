"""Requests and answers of Resource Manager: statuses, bodies and headers of PUT, DELETE and POST; paging; registration."""

import pytest

from arm_emulator import registration
from arm_emulator.resource_types import TYPES
from arm_emulator.store import Resource
from tests.support.arm import NET, PUBLIC_IP, SUB, Arm, Json, Reply, link_body, network_body, rule_body, subnet_body
from tests.support.estates import change, nic_id, same_vnet, vm_id, with_nsg

NETWORK = f"{NET}/virtualNetworks/v"
GROUP = f"{NET}/networkSecurityGroups/n"
GUARDED: Json = {"location": "westeurope", "properties": {"securityRules": [{"name": "r", **rule_body(200)}]}}
NIC = nic_id("web-nic")
EFFECTIVE = ("effectiveNetworkSecurityGroups", "effectiveRouteTable")


def created() -> Reply:
    return Arm().put(NETWORK, network_body("10.0.0.0/16"))


def updated(arm: Arm) -> Reply:
    return arm.put(arm.network("v", "10.0.0.0/16"), network_body("10.0.0.0/16", "10.1.0.0/16"))


# -- PUT ---------------------------------------------------------------------------------------------------------


def test_a_put_that_creates_answers_201() -> None:
    assert created().status == 201


def test_a_put_that_updates_answers_200() -> None:
    assert updated(Arm()).status == 200


def test_a_put_answers_the_resource_in_state_updating() -> None:
    for answer in (created(), updated(Arm())):
        assert answer.body["name"] == "v"
        assert answer.properties["addressSpace"]["addressPrefixes"][0] == "10.0.0.0/16"
        assert answer.properties["provisioningState"] == "Updating"


def test_a_put_answers_the_url_of_its_operation() -> None:
    for answer in (created(), updated(Arm())):
        assert "/locations/westeurope/operations/" in answer.headers["azure-asyncoperation"]


def test_a_put_announces_notifications() -> None:
    assert created().headers["azure-asyncnotification"] == "Enabled"


def test_a_put_says_when_to_ask_again() -> None:
    assert created().headers["retry-after"] == "3"


def test_a_put_has_no_location() -> None:
    for answer in (created(), updated(Arm())):
        assert "location" not in answer.headers


@pytest.mark.parametrize("name", sorted(t.name for t in TYPES.values() if t.name.startswith("Microsoft.Network/") and "rivateDns" not in t.name))  # fmt: skip
def test_a_put_of_microsoft_network_never_answers_202(name: str) -> None:
    declared = TYPES[name.lower()]
    assert (declared.statuses.created, declared.statuses.updated) == (201, 200)


def test_a_put_of_a_security_group_that_changes_nothing_has_succeeded_and_has_no_retry_after() -> None:
    arm = Arm()
    arm.made(GROUP, GUARDED)
    answer = arm.put(GROUP, GUARDED)
    assert (answer.status, answer.properties["provisioningState"]) == (200, "Succeeded")
    assert "retry-after" not in answer.headers
    assert "azure-asyncoperation" not in answer.headers


# -- DELETE ------------------------------------------------------------------------------------------------------


def test_a_delete_answers_202_with_an_empty_body() -> None:
    arm = Arm()
    answer = arm.delete(arm.network("v", "10.0.0.0/16"))
    assert (answer.status, answer.body, answer.raw) == (202, None, None)


def test_a_delete_answers_both_urls_the_location_below_operation_results() -> None:
    arm = Arm()
    answer = arm.delete(arm.network("v", "10.0.0.0/16"))
    assert "/locations/westeurope/operations/" in answer.headers["azure-asyncoperation"]
    assert "/locations/westeurope/operationResults/" in answer.headers["location"]


def test_the_location_of_a_delete_answers_202_while_it_runs_and_204_at_the_end() -> None:
    arm = Arm()
    answer = arm.delete(arm.network("v", "10.0.0.0/16"))
    assert arm.get(NETWORK).properties["provisioningState"] == "Deleting"
    assert arm.get(answer.headers["location"]).status == 202
    arm.wait()
    assert arm.get(answer.headers["location"]).status == 204
    assert arm.get(answer.headers["azure-asyncoperation"]).body == {"status": "Succeeded"}
    assert arm.get(NETWORK).status == 404


def test_a_delete_of_what_is_gone_already_answers_204() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    assert arm.delete(f"{NET}/virtualNetworks/never").status == 204
    assert arm.delete(f"{network}/subnets/never").status == 204
    arm.gone(network)
    assert arm.delete(network).status == 204


def test_a_delete_below_a_parent_that_is_gone_answers_404() -> None:
    assert Arm().delete(f"{NET}/virtualNetworks/never/subnets/s").status == 404


# -- POST --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", EFFECTIVE)
def test_asking_for_what_is_in_effect_answers_202_with_the_body_null(action: str) -> None:
    answer = Arm(estate=same_vnet()).call("POST", f"{NIC}/{action}")
    assert (answer.status, answer.raw) == (202, b"null")


@pytest.mark.parametrize("action", EFFECTIVE)
def test_asking_for_what_is_in_effect_answers_a_location_alone(action: str) -> None:
    headers = Arm(estate=same_vnet()).call("POST", f"{NIC}/{action}").headers
    assert "/operationResults/" in headers["location"]
    assert "azure-asyncoperation" not in headers


@pytest.mark.parametrize("action", EFFECTIVE)
def test_what_is_in_effect_is_found_at_the_location(action: str) -> None:
    arm = Arm(estate=with_nsg(same_vnet(), "subnet"))
    location = arm.call("POST", f"{NIC}/{action}").headers["location"]
    assert arm.get(location).status == 202
    arm.wait()
    answer = arm.get(location)
    assert answer.status == 200
    assert answer.body["value"]


@pytest.mark.parametrize("action", EFFECTIVE)
def test_what_is_in_effect_needs_a_running_machine(action: str) -> None:
    power = "properties.extended.instanceView.powerState.code"
    arm = Arm(estate=change(same_vnet(), "web", power, "PowerState/deallocated"))
    answer = arm.call("POST", f"{NIC}/{action}")
    assert (answer.status, answer.code) == (400, "NetworkInterfaceNotAttachedToRunningVm")
    arm.call("POST", f"{vm_id('web')}/start")
    arm.wait()
    assert arm.call("POST", f"{NIC}/{action}").status == 202


@pytest.mark.parametrize("action", EFFECTIVE)
def test_asking_for_what_is_in_effect_counts_as_a_write(action: str) -> None:
    arm = Arm(estate=same_vnet())
    left = [
        int(arm.call("POST", f"{NIC}/{action}").headers["x-ms-ratelimit-remaining-subscription-writes"]) for _ in "ab"
    ]
    assert left == [199, 198]


# -- lists -------------------------------------------------------------------------------------------------------


def test_a_list_answers_value_and_where_more_follows_a_next_link() -> None:
    arm = Arm(page=2)
    for name in "abc":
        arm.network(name, "10.0.0.0/16")
    first = arm.get(f"{NET}/virtualNetworks").body
    assert list(first) == ["value", "nextLink"]
    last = arm.get(first["nextLink"]).body
    assert list(last) == ["value"]
    assert [one["name"] for one in first["value"] + last["value"]] == list("abc")


@pytest.mark.parametrize("count", [0, 1, 2, 4, 5])
def test_pages_hold_everything_once(count: int) -> None:
    arm = Arm(page=2)
    made = [f"n{number}" for number in range(count)]
    for name in made:
        arm.put(f"{NET}/networkSecurityGroups/{name}", {"location": "westeurope"})
    names, url, pages = [], f"{NET}/networkSecurityGroups", 0
    while url:
        page = arm.get(url).body
        names += [one["name"] for one in page["value"]]
        url, pages = page.get("nextLink", ""), pages + 1
    assert (names, pages) == (made, max(1, (count + 1) // 2))


# -- registration ------------------------------------------------------------------------------------------------


def unregistered(arm: Arm) -> Resource:
    subscription = arm.cloud.store.get(f"/subscriptions/{SUB}")
    assert subscription is not None
    registration.change(arm.cloud, subscription, "Microsoft.Network", "NotRegistered")
    return subscription


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (NETWORK, network_body("10.0.0.0/16")),
        (f"{NET}/publicIPAddresses/p", PUBLIC_IP),
        (f"{NET}/virtualNetworks/there/subnets/s", subnet_body("10.0.0.0/24")),
        (f"{NET}/virtualNetworks/there/virtualNetworkPeerings/l", link_body(NETWORK)),
    ],
)
def test_a_put_where_the_provider_is_not_registered_is_409_missing_subscription_registration(
    path: str, body: Json
) -> None:
    arm = Arm()
    arm.network("there", "10.0.0.0/16")
    unregistered(arm)
    answer = arm.put(path, body)
    assert (answer.status, answer.code) == (409, "MissingSubscriptionRegistration")


def test_the_refusal_of_a_provider_that_is_not_registered_names_it() -> None:
    arm = Arm()
    unregistered(arm)
    answer = arm.put(NETWORK, network_body("10.0.0.0/16"))
    assert "to use namespace 'Microsoft.Network'" in answer.message
    assert answer.body["error"]["details"][0]["target"] == "Microsoft.Network"


def test_a_provider_that_is_not_registered_is_read_all_the_same() -> None:
    arm = Arm()
    arm.network("v", "10.0.0.0/16")
    unregistered(arm)
    assert arm.get(NETWORK).status == 200

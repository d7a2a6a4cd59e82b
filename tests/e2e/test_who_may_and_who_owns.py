"""Refusals before any Azure call, things that others own, adoption, observing, suspending, letting go."""

import asyncio
import io
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import IO

import pytest

from dev.demo.colleague import Colleague
from tests.support.lab import (
    APPS_SUBSCRIPTION,
    HOST,
    HUB,
    HUB_SUBSCRIPTION,
    SHOP,
    VERDICTS,
    Lab,
    Manifest,
    example,
    path_of,
)

HUB_BASTION, _DESKTOPS = example("bastion-host.yaml")
(PEERING,) = example("vnet-peering.yaml")
ALLOWED = [HUB_SUBSCRIPTION, APPS_SUBSCRIPTION]


def changed(manifest: Manifest, **spec: object) -> Manifest:
    copy: Manifest = json.loads(json.dumps(manifest))
    copy["spec"] |= spec
    return copy


def arm_calls(lab: Lab) -> list[str]:
    return [entry["url"] for entry in lab.azure.request_log() if "/oauth2/" not in entry["url"]]


def touched(lab: Lab, marker: str) -> list[str]:
    return [entry["url"] for entry in lab.azure.request_log() if marker in path_of(entry["url"])]


@pytest.mark.parametrize(
    ("identity", "reason", "says"),
    [
        ({"allowedNamespaces": None}, "IdentityNotAllowed", "spec.allowedNamespaces"),
        ({"allowedNamespaces": {"names": ["elsewhere"]}}, "IdentityNotAllowed", "spec.allowedNamespaces"),
        ({"allowedSubscriptions": [APPS_SUBSCRIPTION]}, "SubscriptionNotAllowed", HUB_SUBSCRIPTION),
    ],
)
def test_what_the_identity_does_not_allow_is_refused_without_an_azure_call(
    lab_factory: Callable[..., Lab], identity: dict[str, object], reason: str, says: str
) -> None:
    lab = lab_factory(identity=False)
    lab.apply_identity(**identity)
    lab.operator.start()
    lab.apply_example()
    for kind in ("bh", "vnp"):
        accepted = lab.wait_condition(kind, "hub", "Accepted", "False", reason)
        assert says in accepted["message"]
        assert lab.wait_condition(kind, "hub", "Ready", "False", reason)
        assert lab.condition(kind, "hub", "Reconciling") is None
        assert "finalizers" not in lab.get(kind, "hub")["metadata"]
    assert not arm_calls(lab)
    lab.apply_identity(allowedNamespaces={"names": [lab.namespace]}, allowedSubscriptions=ALLOWED)
    lab.wait_ready("bh/hub", "vnp/hub")


def test_a_missing_identity_is_named_and_used_as_soon_as_it_is_there(lab_factory: Callable[..., Lab]) -> None:
    lab = lab_factory(identity=False)
    lab.operator.start()
    lab.apply(PEERING)
    accepted = lab.wait_condition("vnp", "hub", "Accepted", "False", "IdentityNotFound")
    assert f"there is no AzureIdentity {lab.namespace}" in accepted["message"]
    lab.apply_identity()
    lab.wait_ready("vnp/hub")


def test_a_wrong_secret_is_told_with_entras_code_and_shown_nowhere(lab_factory: Callable[..., Lab]) -> None:
    lab = lab_factory(identity=False)
    secret = "not-the-secret-of-anybody"
    lab.apply_identity(client_secret=secret)
    lab.operator.start()
    lab.apply(PEERING)
    lab.wait_for(lambda: "AADSTS7000215" in json.dumps(lab.api.get(lab.identity)), "the identity says so")
    lab.wait_condition("vnp", "hub", "Ready", "False", "CredentialUnavailable")
    everything = lab.describe() + lab.kubectl("get", "events,azid", "-A", "-o", "yaml") + lab.operator.log.read_text()
    assert secret not in everything


def test_an_identity_in_use_is_not_deleted(lab: Lab) -> None:
    lab.apply(PEERING)
    lab.wait_ready("vnp/hub")
    lab.api.delete(lab.identity)
    lab.wait_for(lambda: "InUse" in json.dumps(lab.api.get(lab.identity)), "it says who uses it")
    lab.delete("vnp", "hub")
    lab.wait_for(lambda: lab.api.find(lab.identity) is None, "it goes with its last user")
    assert not [each for each in lab.azure.resources() if "/virtualnetworkpeerings/" in each]


def test_of_two_that_ask_for_one_thing_the_older_has_it(lab: Lab) -> None:
    lab.apply(PEERING)
    lab.wait_ready("vnp/hub")
    # The API server tells ages in whole seconds, and of two of one second the UID decides.
    made = datetime.fromisoformat(lab.objects("vnp")[0]["metadata"]["creationTimestamp"])
    lab.wait_for(lambda: datetime.now(UTC) >= made + timedelta(seconds=1), "the second is a second younger")
    second = changed(PEERING, spokes=[{"virtualNetworkID": SHOP.upper().replace("/SUBSCRIPTIONS", "/subscriptions")}])
    second["metadata"]["name"] = "second"
    writes = lab.writes()
    lab.apply(changed(second, spokes=[{"virtualNetworkID": SHOP}]))
    accepted = lab.wait_condition("vnp", "second", "Accepted", "False", "Conflict")
    assert f"{lab.namespace}/hub was first" in accepted["message"]
    assert lab.writes() == writes
    lab.delete("vnp", "hub")
    lab.wait_ready("vnp/second")


def make_foreign_host(lab: Lab, **properties: object) -> None:
    """Somebody's Bastion under the name that the example asks for."""
    with Colleague(lab.azure).network(HUB_SUBSCRIPTION) as client:
        subnet = {"properties": {"addressPrefix": "10.0.2.0/26"}}
        client.subnets.begin_create_or_update("connectivity", "hub", "AzureBastionSubnet", json_body(subnet)).result()
        address = {
            "location": "westeurope",
            "sku": {"name": "Standard"},
            "properties": {"publicIPAllocationMethod": "Static"},
        }
        client.public_ip_addresses.begin_create_or_update("connectivity", "old-ip", json_body(address)).result()
        address_id = HOST.replace("bastionHosts/hub", "publicIPAddresses/old-ip")
        configuration = {
            "name": "theirs",
            "properties": {
                "subnet": {"id": f"{HUB}/subnets/AzureBastionSubnet"},
                "publicIPAddress": {"id": address_id},
            },
        }
        host = {
            "location": "westeurope",
            "sku": {"name": "Standard"},
            "tags": {"owner": "network-team"},
            "properties": {"ipConfigurations": [configuration], "scaleUnits": 4, **properties},
        }
        client.bastion_hosts.begin_create_or_update("connectivity", "hub", json_body(host)).result()


def json_body(body: Mapping[str, object]) -> IO[bytes]:
    """The SDK takes a stream of JSON as well as its models."""
    return io.BytesIO(json.dumps(body).encode())


def test_a_foreign_host_that_the_graph_does_not_show_yet_is_told_and_not_touched(
    lab_factory: Callable[..., Lab],
) -> None:
    # At this speed of Azure the lag outlasts the test.
    lab = lab_factory(graph_lag=60_000.0)
    make_foreign_host(lab, enableFileCopy=True)
    lab.operator.start()
    before = lab.azure.resources()
    lab.apply(HUB_BASTION)
    provisioned = lab.wait_condition("bh", "hub", "HostProvisioned", "False", "NotOwned")
    assert "adoptionPolicy: IfUnmanaged" in provisioned["message"]
    assert lab.condition("bh", "hub", "Stalled") is not None
    lab.delete("bh", "hub")
    assert lab.azure.resources() == before
    assert lab.writes() == []


def test_an_adopted_host_keeps_what_the_spec_does_not_name_and_is_never_deleted(
    lab_factory: Callable[..., Lab],
) -> None:
    lab = lab_factory(graph_lag=60_000.0)
    make_foreign_host(lab, enableFileCopy=True)
    lab.operator.start()
    lab.apply(changed(HUB_BASTION, adoptionPolicy="IfUnmanaged", sku="Standard", features={"nativeClient": True}))
    lab.wait_ready("bh/hub")
    host = lab.azure.resources()[HOST.lower()]
    assert host["properties"]["enableTunneling"] is True
    assert host["properties"]["enableFileCopy"] is True
    assert host["properties"]["scaleUnits"] == 4
    assert host["tags"] == {"owner": "network-team", "cost-center": "platform"}
    claims = lab.get("bh", "hub")["status"]["claims"]
    assert [(claim["purpose"], claim["origin"]) for claim in claims] == [("Host", "Adopted")]
    assert [method for method, _, _ in lab.writes()] == ["PUT"]

    # Somebody deletes it: it is made anew and stays adopted, so that it carries no mark and outlives its BastionHost.
    async def delete_by_hand() -> None:
        async with lab.azure.control() as control:
            await control.delete_resource(HOST)

    asyncio.run(delete_by_hand())
    lab.annotate("bh", "hub", "gone")
    lab.wait_for(lambda: ("PUT", HOST.lower(), 201) in lab.writes(), "it is made anew")
    lab.wait_for(lambda: provisioned(lab) == "Succeeded", "Azure has finished with it")
    lab.wait_ready("bh/hub")
    anew = lab.azure.resources()[HOST.lower()]
    assert anew["tags"] == {"cost-center": "platform"}
    claims = lab.get("bh", "hub")["status"]["claims"]
    assert ("Host", "Adopted") in [(claim["purpose"], claim["origin"]) for claim in claims]
    lab.delete("bh", "hub")
    assert lab.azure.resources()[HOST.lower()] == anew
    assert "DELETE" not in [method for method, _, _ in lab.writes()]


def provisioned(lab: Lab) -> str:
    """How far Azure is with the host."""
    return str(lab.azure.resources()[HOST.lower()]["properties"]["provisioningState"])


def test_a_foreign_half_is_told_and_both_networks_stay_as_they_are(lab: Lab) -> None:
    with Colleague(lab.azure).network(APPS_SUBSCRIPTION) as client:
        half = {"properties": {"remoteVirtualNetwork": {"id": HUB}, "allowForwardedTraffic": True}}
        client.virtual_network_peerings.begin_create_or_update("shop", "shop", "theirs", json_body(half)).result()
    lab.apply(changed(PEERING, spokes=[{"virtualNetworkID": SHOP}]))
    connected = lab.wait_condition("vnp", "hub", "Connected", "False", "NotOwned")
    assert "sides: HubOnly" in connected["message"]
    assert lab.writes() == []
    lab.patch("vnp", "hub", sides="HubOnly")
    lab.wait_ready("vnp/hub")
    theirs = lab.azure.resources()[f"{SHOP}/virtualNetworkPeerings/theirs".lower()]
    assert theirs["properties"]["peeringState"] == "Connected"
    assert theirs["properties"]["allowForwardedTraffic"] is True
    assert [path.rsplit("/", 3)[1] for _, path, _ in lab.writes()] == ["hub"]
    lab.delete("vnp", "hub")
    assert f"{SHOP}/virtualNetworkPeerings/theirs".lower() in lab.azure.resources()


def not_done(lab: Lab) -> str:
    """What Events tell of changes that are not made."""
    return "\n".join(
        each["note"] for each in lab.events() if each["reason"] == "OutOfSync" and "not done" in each["note"]
    )


def test_observing_writes_nothing_and_reports_all_the_same(lab: Lab) -> None:
    make_foreign_host(lab)
    before = lab.azure.resources()
    lab.apply(
        changed(HUB_BASTION, managementPolicy="Observe", sku="Premium"), changed(PEERING, managementPolicy="Observe")
    )
    ready = lab.wait_condition("bh", "hub", "Ready", "False", "OutOfSync")
    assert "sku.name: Standard → Premium" in ready["message"]
    lab.wait_condition("vnp", "hub", "Ready", "False", "OutOfSync")
    lab.wait_for(lambda: "sku.name: Standard → Premium" in not_done(lab), "an Event tells what is not done")
    lab.wait_for(lambda: lab.reasons().get("jump") == [], "the VM beside the host is reachable")
    lab.wait_for(lambda: lab.reasons().get("web-1") == ["NotPeered"], "the one in a spoke is not")
    lab.delete("bh,vnp")
    assert lab.azure.resources() == before
    assert lab.writes() == []


def test_suspend_stops_everything_deletion_too_and_says_so(lab: Lab) -> None:
    lab.apply(PEERING)
    lab.wait_ready("vnp/hub")
    lab.patch("vnp", "hub", suspend=True)
    lab.wait_condition("vnp", "hub", "Accepted", "False", "Suspended")
    half = next(each for each in lab.azure.resources() if "/virtualnetworks/shop/virtualnetworkpeerings/" in each)
    Colleague(lab.azure).delete_peering(APPS_SUBSCRIPTION, "shop", "shop", half.rsplit("/", 1)[-1])
    calls = len(touched(lab, "/shop/"))
    lab.begin_delete("vnp", "hub")
    lab.annotate("vnp", "hub", "now")
    lab.wait_for(
        lambda: lab.get("vnp", "hub")["status"].get("lastHandledReconcileAt") == "now", "the wish is acknowledged"
    )
    assert lab.get("vnp", "hub")["metadata"]["finalizers"] == ["azurebastion.dev/cleanup"]
    assert len(touched(lab, "/shop/")) == calls
    lab.patch("vnp", "hub", suspend=False)
    lab.wait_for(lambda: not lab.objects("vnp"), "the deletion goes on")
    assert not [each for each in lab.azure.resources() if "/virtualnetworkpeerings/" in each]


def test_retain_lets_go_without_an_azure_call(lab: Lab) -> None:
    lab.apply(changed(PEERING, deletionPolicy="Retain"))
    lab.wait_ready("vnp/hub")
    writes, before = lab.writes(), lab.azure.resources()
    lab.delete("vnp", "hub")
    assert lab.writes() == writes
    assert lab.azure.resources() == before


def test_a_deletion_without_an_identity_says_the_way_out(lab: Lab) -> None:
    lab.apply(PEERING)
    lab.wait_ready("vnp/hub")
    lab.apply_identity(allowedNamespaces={"names": ["elsewhere"]})
    lab.begin_delete("vnp", "hub")
    ready = lab.wait_condition("vnp", "hub", "Ready", "False", "DeletionBlocked")
    assert "deletionPolicy: Retain" in ready["message"]
    lab.patch("vnp", "hub", deletionPolicy="Retain")
    lab.wait_for(lambda: not lab.objects("vnp"), "it is let go")
    assert len([each for each in lab.azure.resources() if "/virtualnetworkpeerings/" in each]) == 6


def test_what_only_azure_can_refuse_becomes_a_condition_with_azures_code(lab: Lab) -> None:
    """Azure allows one quota of public IPs for a region; the plan cannot know it."""
    with Colleague(lab.azure).network(HUB_SUBSCRIPTION) as client:
        for number in range(10):
            address = {
                "location": "westeurope",
                "sku": {"name": "Standard"},
                "properties": {"publicIPAllocationMethod": "Static"},
            }
            client.public_ip_addresses.begin_create_or_update(
                "connectivity", f"other-{number}", json_body(address)
            ).result()
    lab.apply(HUB_BASTION)
    # Azure wraps it in PublicIPCountLimitReached; the inner code is the one that says what to do.
    ready = lab.wait_condition("bh", "hub", "Ready", "False", "QuotaExceeded")
    assert "Limit 10 of publicIPAddresses in westeurope" in ready["message"]
    assert lab.condition("bh", "hub", "Stalled") is not None
    tries = [path for method, path, _ in lab.writes() if method == "PUT" and "/publicipaddresses/" in path]
    assert len(tries) == 1, "what was refused is not sent again and again"


def test_overlapping_networks_are_told_before_anything_is_sent(lab: Lab) -> None:
    with Colleague(lab.azure).network(APPS_SUBSCRIPTION) as client:
        body = {"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}
        client.virtual_networks.begin_create_or_update("shop", "twin", json_body(body)).result()
    twin = SHOP.removesuffix("shop") + "twin"
    lab.apply(changed(PEERING, spokes=[{"virtualNetworkID": twin}]))
    connected = lab.wait_condition("vnp", "hub", "Connected", "False", "VnetAddressSpacesOverlap")
    assert "10.0.0.0/16" in connected["message"]
    assert lab.writes() == []


def test_a_subscription_that_the_identity_cannot_see_never_looks_like_vms_that_are_gone(lab: Lab) -> None:
    lab.apply_example()
    lab.wait_settled()
    unseen = "0a1b2c3d-0000-4000-8000-00000000000c"
    lab.apply_identity(allowedSubscriptions=[*ALLOWED, unseen])

    def told() -> bool:
        reachable = lab.condition("bh", "hub", "TargetsReachable")
        return reachable is not None and f"nothing of the subscriptions {unseen}" in reachable["message"]

    lab.wait_for(told, "TargetsReachable names what is not shown")
    assert lab.reasons() == VERDICTS
    assert lab.condition("bh", "hub", "Ready")["status"] == "True"  # type: ignore[index]

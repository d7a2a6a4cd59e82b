"""The main job: hub, Bastion and three spokes from nothing, kept, told, and taken down again."""

from collections.abc import Callable

from azure.mgmt.network.models import AddressSpace, BastionHostUpdate

from dev.demo.colleague import Colleague
from tests.e2e.test_trouble import error
from tests.support.faults import fault, heal
from tests.support.lab import APPS_SUBSCRIPTION, HOST, HUB, HUB_SUBSCRIPTION, Lab

OURS = ("/bastionhosts/", "/publicipaddresses/", "/subnets/azurebastionsubnet", "/virtualnetworkpeerings/")


def ours(lab: Lab) -> list[str]:
    return [each for each in lab.azure.resources() if any(mark in each for mark in OURS)]


def test_everything_is_made_told_and_taken_down_again(lab: Lab) -> None:
    before = lab.azure.resources()
    lab.apply_example()
    lab.wait_ready("bh/hub", "bh/hub-desktops", "vnp/hub")

    assert [sum(mark in each for each in ours(lab)) for mark in OURS] == [1, 1, 1, 6]
    created = [path for method, path, status in lab.writes() if method == "PUT" and status == 201]
    assert len(created) == len(set(created)) == 9
    assert not [each for each in lab.writes() if each[2] >= 400], "nothing was sent that Azure could not take yet"
    host = lab.get("bh", "hub")["status"]
    assert host["bastionID"] == HOST
    assert host["subnetPrefix"] == "10.0.0.0/26"
    assert host["observedGeneration"] == 1
    assert {claim["origin"] for claim in host["claims"]} == {"Created"}
    assert lab.get("vnp", "hub")["status"]["connected"] == "3/3"
    lab.wait_settled()

    lab.delete("bh,vnp")
    assert not ours(lab)
    assert {each: body["properties"].get("addressSpace") for each, body in lab.azure.resources().items()} == {
        each: body["properties"].get("addressSpace") for each, body in before.items()
    }
    lab.wait_for(lambda: not lab.objects("rr"), "the reports are gone")
    deleted = [path for method, path, status in lab.writes() if method == "DELETE" and status == 202]
    assert len(deleted) == len(set(deleted)) == 9
    assert deleted.index(HOST.lower()) < deleted.index(f"{HUB}/subnets/AzureBastionSubnet".lower())
    assert deleted.index(HOST.lower()) < min(deleted.index(each) for each in deleted if "/publicipaddresses/" in each)


def test_a_pass_in_which_nothing_changed_writes_nothing_anywhere(lab: Lab) -> None:
    lab.apply_example()
    lab.wait_settled()
    lab.wait_still()
    writes, versions, passes = lab.writes(), lab.versions(), len(lab.azure.request_log())
    # Several passes of each resource: the interval of a minute takes 1.2 seconds here.
    lab.wait_for(lambda: len(lab.azure.request_log()) >= passes + 4, "passes go on")
    later = lab.azure.request_log()[passes:]
    assert lab.writes() == writes
    assert lab.versions() == versions
    assert {entry["method"] for entry in later} == {"POST"}, "and asked Resource Graph alone"


def test_a_restart_writes_nothing(lab: Lab) -> None:
    lab.apply_example()
    lab.wait_settled()
    lab.wait_still()
    lab.operator.kill()
    writes, versions, calls = lab.writes(), lab.versions(), len(lab.azure.request_log())
    lab.operator.start()
    lab.wait_for(lambda: len(lab.azure.request_log()) >= calls + 4, "passes go on")
    assert lab.writes() == writes
    assert lab.versions() == versions


def test_a_half_that_somebody_deleted_is_made_again(lab: Lab) -> None:
    lab.apply_example()
    lab.wait_ready("bh/hub", "vnp/hub")
    half = next(each for each in lab.azure.resources() if "/virtualnetworks/shop/virtualnetworkpeerings/" in each)
    writes = len(lab.writes())
    Colleague(lab.azure).delete_peering(APPS_SUBSCRIPTION, "shop", "shop", half.rsplit("/", 1)[-1])
    lab.wait_for(lambda: halves(lab) == ["Connected"] * 6 and len(lab.writes()) > writes, "both halves are back")
    lab.wait_ready("vnp/hub")
    sent = [(method, path.split("/")[8]) for method, path, status in lab.writes()[writes:] if status < 300]
    assert sorted(sent) == [("DELETE", "hub"), ("PUT", "hub"), ("PUT", "shop")]


def test_an_address_space_that_grew_is_synced(lab: Lab) -> None:
    lab.apply_example()
    lab.wait_ready("bh/hub", "vnp/hub")
    writes = len(lab.writes())
    fault(lab, error(409, "AnotherOperationInProgress"), method="PUT", url="syncRemoteAddressSpace", count=0)
    with Colleague(lab.azure).network(APPS_SUBSCRIPTION) as client:
        network = client.virtual_networks.get("shop", "shop")
        assert network.properties is not None
        network.properties.address_space = AddressSpace(address_prefixes=["10.1.0.0/16", "10.11.0.0/16"])
        client.virtual_networks.begin_create_or_update("shop", "shop", network).result()
    lab.wait_for(lambda: len(lab.writes()) > writes, "the operator writes")
    lab.wait_condition("vnp", "hub", "AddressSpaceInSync", "False")
    lab.wait_condition("vnp", "hub", "Connected", "True")
    heal(lab)
    lab.wait_condition("vnp", "hub", "AddressSpaceInSync", "True")
    taken = [(method, path.split("/")[8], status) for method, path, status in lab.writes()[writes:] if status != 409]
    assert taken == [("PUT", "hub", 200)]
    lab.wait_for(lambda: seen_by_the_hub(lab) == ["10.1.0.0/16", "10.11.0.0/16"], "the hub's half knows both")


def seen_by_the_hub(lab: Lab) -> list[str]:
    """The address space of the shop as the hub's half of the link has it."""
    half = "virtualnetworks/hub/virtualnetworkpeerings/azurebastion-shop"
    link = next(body for each, body in lab.azure.resources().items() if half in each)
    prefixes: list[str] = link["properties"]["remoteAddressSpace"]["addressPrefixes"]
    return prefixes


def test_a_spoke_that_leaves_the_spec_loses_both_halves(lab: Lab) -> None:
    lab.apply_example()
    lab.wait_ready("bh/hub", "vnp/hub")
    manifest = lab.get("vnp", "hub")
    spokes = [each for each in manifest["spec"]["spokes"] if not each["virtualNetworkID"].endswith("/tools")]
    lab.patch("vnp", "hub", spokes=spokes)
    lab.wait_for(lambda: len(halves(lab)) == 4, "the link is gone")
    lab.wait_for(lambda: lab.get("vnp", "hub")["status"]["connected"] == "2/2", "the status says so")
    lab.wait_ready("vnp/hub")
    lab.wait_for(lambda: lab.reasons().get("build-1") == ["NotPeered"], "and so does the verdict")
    lab.wait_for(lambda: len(lab.get("vnp", "hub")["status"]["claims"]) == 4, "its claims are given up")


def test_an_upgrade_is_made_in_place_and_keeps_what_others_set(lab: Lab) -> None:
    lab.apply_example()
    lab.wait_ready("bh/hub", "bh/hub-desktops", "vnp/hub")
    with Colleague(lab.azure).network(HUB_SUBSCRIPTION) as client:
        marked = BastionHostUpdate(tags={**tags(lab), "team": "network"})
        client.bastion_hosts.begin_update("connectivity", "hub", marked).result()
    lab.patch("bh", "hub", sku="Standard", scaleUnits=3, features={"nativeClient": True})
    lab.wait_for(lambda: lab.azure.resources()[HOST.lower()]["sku"]["name"] == "Standard", "the upgrade")
    lab.wait_ready("bh/hub")
    host = lab.azure.resources()[HOST.lower()]
    assert host["properties"]["enableTunneling"] is True
    assert host["properties"]["scaleUnits"] == 3
    assert host["tags"]["team"] == "network"
    assert host["tags"]["cost-center"] == "platform"
    lab.wait_for(lambda: lab.reasons("hub-desktops") == {"desktop-1": []}, "RDP to Linux is possible now")


def tags(lab: Lab) -> dict[str, str]:
    found: dict[str, str] = lab.azure.resources()[HOST.lower()]["tags"]
    return found


def halves(lab: Lab) -> list[str]:
    resources = lab.azure.resources()
    return [
        body["properties"]["peeringState"] for each, body in resources.items() if "/virtualnetworkpeerings/" in each
    ]


def test_azure_being_away_is_told_and_survived(lab_factory: Callable[..., Lab]) -> None:
    lab = lab_factory()
    lab.azure.kill()
    lab.operator.start()
    lab.apply_example()
    lab.wait_condition("bh", "hub", "Ready", "False")
    lab.wait_condition("vnp", "hub", "Ready", "False", says="could not be reached")
    lab.azure.start()
    lab.wait_ready("bh/hub", "vnp/hub")

"""Private DNS: zones that are nowhere and everywhere, their links to virtual networks, and record sets."""

import re
from typing import Any

import pytest

from tests.support.arm import NET, Arm, network_body

ZONE = f"{NET}/privateDnsZones/privatelink.blob.core.windows.net"
VERSION = "2024-06-01"
GLOBAL = {"location": "global"}


def link_of(network: str, *, registration: bool = False) -> dict[str, Any]:
    return {
        "location": "global",
        "properties": {"virtualNetwork": {"id": network}, "registrationEnabled": registration},
    }


def written(arm: Arm, path: str, body: object, method: str = "PUT") -> Any:
    answer = arm.call(method, path, body, version=VERSION)
    assert answer.status == 202, answer.body
    arm.wait()
    return arm.get(path, version=VERSION).body


def prepared(*zones: str) -> tuple[Arm, str]:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    for zone in zones or (ZONE,):
        written(arm, zone, GLOBAL)
    return arm, network


def test_a_zone_is_made_by_an_operation_that_is_answered_202() -> None:
    arm = Arm()
    answer = arm.put(ZONE, GLOBAL, version=VERSION)
    assert (answer.status, answer.body) == (202, None)
    assert {"azure-asyncoperation", "location", "retry-after"} <= set(answer.headers)
    arm.wait()
    zone = arm.get(ZONE, version=VERSION).body
    assert zone["location"] == "global"
    assert zone["properties"]["provisioningState"] == "Succeeded"
    assert (zone["properties"]["numberOfRecordSets"], zone["properties"]["numberOfVirtualNetworkLinks"]) == (1, 0)
    assert zone["properties"]["maxNumberOfVirtualNetworkLinksWithRegistration"] == 100


def test_a_zone_lies_nowhere_but_in_global() -> None:
    arm = Arm()
    assert arm.put(ZONE, {"location": "westeurope"}, version=VERSION).code == "LocationNotAvailableForResourceType"
    assert arm.put(ZONE, {"location": "Global"}, version=VERSION).status == 202


def test_etags_of_zones_links_and_records_are_bare_guids_of_their_own() -> None:
    arm, network = prepared()
    before = arm.get(ZONE, version=VERSION).body["etag"]
    link = written(arm, f"{ZONE}/virtualNetworkLinks/l", link_of(network))
    record = arm.put(f"{ZONE}/A/www", {"properties": {"aRecords": [{"ipv4Address": "10.0.0.4"}]}}, version=VERSION).body
    assert all(re.fullmatch(r"[0-9a-f-]{36}", etag) for etag in (before, link["etag"], record["etag"]))
    assert len({before, link["etag"], record["etag"]}) == 3
    assert arm.get(ZONE, version=VERSION).body["etag"] == before
    stale = arm.call(
        "PUT", f"{ZONE}/A/www", {"properties": {"aRecords": []}}, version=VERSION, headers={"If-Match": "x"}
    )
    assert stale.status == 412


def test_a_link_is_counted_and_keeps_its_zone_from_being_deleted() -> None:
    arm, network = prepared()
    link = written(arm, f"{ZONE}/virtualNetworkLinks/l", link_of(network, registration=True))
    assert link["properties"]["virtualNetworkLinkState"] == "Completed"
    zone = arm.get(ZONE, version=VERSION).properties
    assert (zone["numberOfVirtualNetworkLinks"], zone["numberOfVirtualNetworkLinksWithRegistration"]) == (1, 1)
    refused = arm.delete(ZONE, version=VERSION)
    assert (refused.status, refused.code) == (409, "CannotDeleteResource")
    assert "virtualNetworkLinks/l" in refused.message
    assert arm.delete(f"{ZONE}/virtualNetworkLinks/l", version=VERSION).status == 202
    arm.wait()
    assert arm.delete(ZONE, version=VERSION).status == 202
    arm.wait()
    assert arm.get(ZONE, version=VERSION).status == 404


def test_a_network_registers_in_one_zone_only() -> None:
    other = f"{NET}/privateDnsZones/contoso.internal"
    arm, network = prepared(ZONE, other)
    written(arm, f"{ZONE}/virtualNetworkLinks/l", link_of(network, registration=True))
    refused = arm.put(f"{other}/virtualNetworkLinks/l", link_of(network, registration=True), version=VERSION)
    assert (refused.status, refused.code) == (409, "Conflict")
    assert "can only be linked to 1 Private DNS zone(s) with auto-registration enabled" in refused.message
    written(arm, f"{other}/virtualNetworkLinks/l", link_of(network))
    refused = arm.call("PATCH", f"{other}/virtualNetworkLinks/l", {"properties": {"registrationEnabled": True}}, version=VERSION)  # fmt: skip
    assert refused.code == "Conflict"


def test_a_network_is_linked_to_a_zone_once() -> None:
    arm, network = prepared()
    written(arm, f"{ZONE}/virtualNetworkLinks/l", link_of(network))
    assert arm.put(f"{ZONE}/virtualNetworkLinks/m", link_of(network), version=VERSION).code == "Conflict"


def test_a_link_needs_its_network_and_keeps_it() -> None:
    arm, network = prepared()
    path = f"{ZONE}/virtualNetworkLinks/l"
    assert arm.put(path, link_of(f"{NET}/virtualNetworks/no"), version=VERSION).code == "InvalidResourceReference"
    assert arm.put(path, {"location": "global"}, version=VERSION).code == "InvalidRequestFormat"
    written(arm, path, link_of(network))
    other = arm.network("w", "10.1.0.0/16")
    assert arm.put(path, link_of(other), version=VERSION).code == "Conflict"
    assert written(arm, path, {"tags": {"a": "b"}}, "PATCH")["tags"] == {"a": "b"}


def test_a_network_that_is_deleted_takes_its_links_along() -> None:
    arm, network = prepared()
    written(arm, f"{ZONE}/virtualNetworkLinks/l", link_of(network))
    arm.gone(network)
    assert arm.get(f"{ZONE}/virtualNetworkLinks", version=VERSION).body["value"] == []


def test_record_sets_are_written_at_once_and_listed_by_type_and_all_together() -> None:
    arm, _ = prepared()
    path = f"{ZONE}/A/www"
    answer = arm.put(path, {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.0.0.4"}]}}, version=VERSION)
    assert answer.status == 201
    assert answer.properties["fqdn"] == "www.privatelink.blob.core.windows.net."
    assert "provisioningState" not in answer.properties
    assert arm.put(path, {"properties": {"aRecords": []}}, version=VERSION).status == 200
    arm.put(f"{ZONE}/TXT/@", {"properties": {"txtRecords": [{"value": ["x"]}]}}, version=VERSION)
    assert [one["name"] for one in arm.get(f"{ZONE}/A", version=VERSION).body["value"]] == ["www"]
    assert {one["type"].rpartition("/")[2] for one in arm.get(f"{ZONE}/ALL", version=VERSION).body["value"]} == {"A", "SOA", "TXT"}  # fmt: skip
    assert arm.get(ZONE, version=VERSION).properties["numberOfRecordSets"] == 3
    assert arm.delete(path, version=VERSION).status == 200
    assert arm.delete(path, version=VERSION).status == 204
    assert arm.get(path, version=VERSION).status == 404


@pytest.mark.parametrize(
    ("path", "properties", "code"),
    [
        ("A/x", {"aRecords": [{"ipv4Address": "10.0.0.256"}]}, "BadRequest"),
        ("A/x", {"ttl": 0, "aRecords": []}, "BadRequest"),
        ("A/x", {}, "InvalidRequestFormat"),
        ("CNAME/x", {"cnameRecord": []}, "InvalidRequestFormat"),
        ("CNAME/www", {"cnameRecord": {"cname": "a.b"}}, "CnameRecordSetConflict"),
        ("A/-x", {"aRecords": []}, "InvalidResourceName"),
    ],
)
def test_record_sets_that_cannot_be_are_refused(path: str, properties: dict[str, Any], code: str) -> None:
    arm, _ = prepared()
    arm.put(f"{ZONE}/A/www", {"properties": {"aRecords": [{"ipv4Address": "10.0.0.4"}]}}, version=VERSION)
    answer = arm.put(f"{ZONE}/{path}", {"properties": properties}, version=VERSION)
    assert (answer.status, answer.code) == (400, code)


def test_the_soa_record_comes_with_the_zone_and_stays() -> None:
    arm, _ = prepared()
    assert arm.get(f"{ZONE}/SOA/@", version=VERSION).properties["soaRecord"]["host"] == "azureprivatedns.net"
    assert arm.delete(f"{ZONE}/SOA/@", version=VERSION).code == "BadRequest"


def test_versions_of_private_dns_are_not_those_of_microsoft_network() -> None:
    arm, _ = prepared()
    refused = arm.get(ZONE, version="2026-03-01")
    assert (refused.status, refused.code) == (400, "NoRegisteredProviderFound")
    assert "2024-06-01" in refused.message


def test_the_graph_shows_zones_and_links() -> None:
    arm, network = prepared()
    written(arm, f"{ZONE}/virtualNetworkLinks/l", link_of(network))
    arm.wait()
    rows = arm.query("resources | where type startswith 'microsoft.network/privatednszones' | where type !endswith '/soa' | project type, location | order by type asc").body["data"]  # fmt: skip
    assert [row["type"] for row in rows] == [
        "microsoft.network/privatednszones",
        "microsoft.network/privatednszones/virtualnetworklinks",
    ]


def test_estate_rows_of_zones_and_links_are_live() -> None:
    network = f"{NET}/virtualNetworks/v"
    arm = Arm(
        estate=[
            {"id": ZONE, "location": "global", "properties": {}},
            {"id": f"{ZONE}/virtualNetworkLinks/l", **link_of(network, registration=True)},
            {"id": network, **network_body("10.0.0.0/16")},
        ]
    )
    assert arm.get(ZONE, version=VERSION).properties["numberOfVirtualNetworkLinksWithRegistration"] == 1
    assert arm.delete(ZONE, version=VERSION).code == "CannotDeleteResource"

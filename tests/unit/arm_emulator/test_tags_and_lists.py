"""Tags, the lists of all resources, locations: what ARM itself answers about subscriptions and groups."""

import pytest

from tests.support.arm import NET, OTHER_SUB, PUBLIC_IP, RG, SUB, Arm, network_body, subnet_body
from tests.support.governance import TAGS, Json

HERE = f"/subscriptions/{SUB}"
TAIL = "/providers/Microsoft.Resources/tags/default"


def tags(arm: Arm, scope: str) -> dict[str, str]:
    found: dict[str, str] = arm.get(scope + TAIL, version=TAGS).properties["tags"]
    return found


def change(arm: Arm, scope: str, operation: str, **wanted: str) -> dict[str, str]:
    body = {"operation": operation, "properties": {"tags": wanted}}
    answer = arm.patch(scope + TAIL, body, version=TAGS)
    assert answer.status == 200, answer.body
    return dict(answer.properties["tags"])


@pytest.mark.parametrize("kind", ["subscription", "group", "resource"])
def test_tags_are_merged_replaced_and_deleted_at_every_scope(kind: str) -> None:
    arm = Arm()
    scope = {"subscription": HERE, "group": RG, "resource": f"{NET}/virtualNetworks/v"}[kind]
    arm.network("v", "10.0.0.0/16")
    put = arm.put(scope + TAIL, {"properties": {"tags": {"a": "1", "B": "2"}}}, version=TAGS)
    assert (put.status, put.body["id"], put.body["type"]) == (200, scope + TAIL, "Microsoft.Resources/tags")
    assert tags(arm, scope) == {"a": "1", "B": "2"}
    assert change(arm, scope, "Merge", b="3", c="4") == {"a": "1", "B": "3", "c": "4"}
    assert change(arm, scope, "Delete", a="1", B="other", c="") == {"B": "3"}
    assert change(arm, scope, "Replace", x="y") == {"x": "y"}
    assert arm.get(scope, version="2026-03-01" if kind == "resource" else "2022-12-01").body["tags"] == {"x": "y"}
    assert arm.delete(scope + TAIL, version=TAGS).status == 200
    assert tags(arm, scope) == {}


def test_tags_are_refused_where_they_cannot_be() -> None:
    arm = Arm()
    arm.network("v", "10.0.0.0/16")
    arm.made(f"{NET}/virtualNetworks/v/subnets/s", subnet_body("10.0.0.0/24"))
    body: Json = {"properties": {"tags": {"a": "b"}}}
    assert arm.put(f"{NET}/virtualNetworks/v/subnets/s{TAIL}", body, version=TAGS).status == 400
    assert arm.put(f"{NET}/virtualNetworks/no{TAIL}", body, version=TAGS).code == "ResourceNotFound"
    assert arm.put(RG + TAIL, {"properties": {"tags": {"a": 1}}}, version=TAGS).code == "InvalidRequestFormat"
    many = {"properties": {"tags": {str(number): "" for number in range(51)}}}
    assert arm.put(RG + TAIL, many, version=TAGS).code == "InvalidTags"
    assert arm.patch(RG + TAIL, {"operation": "Swap"}, version=TAGS).status == 400
    assert arm.put(RG + TAIL, body, by="operator", version=TAGS).code == "AuthorizationFailed"
    assert arm.get(RG + TAIL, by="reader", version=TAGS).status == 200


def full() -> Arm:
    arm = Arm()
    arm.made(f"{NET}/virtualNetworks/hub", {**network_body("10.0.0.0/16"), "tags": {"team": "net", "env": "prod"}})
    arm.made(f"{NET}/virtualNetworks/spoke", {**network_body("10.1.0.0/16"), "tags": {"team": "app"}})
    arm.made(f"{NET}/publicIPAddresses/hub-ip", {**PUBLIC_IP, "location": "northeurope", "tags": {"env": "net"}})
    arm.made(f"{NET}/virtualNetworks/hub/subnets/s", subnet_body("10.0.0.0/24"))
    return arm


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["hub", "spoke", "hub-ip"]),
        ("resourceType eq 'microsoft.network/virtualnetworks'", ["hub", "spoke"]),
        ("resourceType ne 'Microsoft.Network/virtualNetworks'", ["hub-ip"]),
        ("tagName eq 'Team' and tagValue eq 'net'", ["hub"]),
        ("tagName eq 'team'", ["hub", "spoke"]),
        ("name eq 'spoke'", ["spoke"]),
        ("location eq 'North Europe'", ["hub-ip"]),
        ("resourceGroup eq 'RG' and substringof('ub', name)", ["hub", "hub-ip"]),
        ("startswith(tagName, 'e')", ["hub", "hub-ip"]),
    ],
)
def test_all_resources_of_a_subscription_are_filtered(text: str, names: list[str]) -> None:
    query = {"$filter": text} if text else {}
    listed = full().get(f"{HERE}/resources", version="2021-04-01", **query).body["value"]
    assert [one["name"] for one in listed] == names
    assert all("properties" not in one and "etag" not in one for one in listed)


def test_all_resources_of_a_group_and_a_filter_that_is_none() -> None:
    arm = full()
    assert len(arm.get(f"{RG}/resources", version="2021-04-01").body["value"]) == 3
    for text in ("colour eq 'red'", "name gt 'a'", "substringof('a')"):
        refused = arm.get(f"{RG}/resources", version="2021-04-01", **{"$filter": text})
        assert (refused.status, refused.code) == (400, "InvalidFilterInQueryString")


def test_groups_are_listed_by_tag() -> None:
    arm = Arm()
    arm.put(f"{RG}2", {"location": "westeurope", "tags": {"env": "prod"}})
    query = {"$filter": "tagName eq 'env' and tagValue eq 'prod'"}
    listed = arm.get(f"{HERE}/resourcegroups", version="2021-04-01", **query).body["value"]
    assert [one["name"] for one in listed] == ["rg2"]


def test_tag_names_are_counted_by_value() -> None:
    arm = full()
    found = {one["tagName"]: one for one in arm.get(f"{HERE}/tagNames", version="2021-04-01").body["value"]}
    assert found["env"]["count"] == {"type": "Total", "value": 2}
    assert [(one["tagValue"], one["count"]["value"]) for one in found["env"]["values"]] == [("net", 1), ("prod", 1)]
    assert arm.get(f"/subscriptions/{OTHER_SUB}/tagNames", version="2021-04-01").body["value"] == []


NAMES = f"{HERE}/tagNames"


def names(arm: Arm) -> dict[str, dict[str, int]]:
    listed = arm.get(NAMES, version="2021-04-01").body["value"]
    return {one["tagName"]: {value["tagValue"]: value["count"]["value"] for value in one["values"]} for one in listed}


def test_names_and_values_of_tags_are_made_beforehand() -> None:
    arm = full()
    made = [arm.put(f"{NAMES}/{path}", {}, version="2021-04-01") for path in ("owner", "owner/tagValues/ann", "OWNER")]
    assert [one.status for one in made] == [201, 201, 200]
    assert made[0].body == {
        "id": f"{HERE}/tagNames/owner",
        "tagName": "owner",
        "count": {"type": "Total", "value": 0},
        "values": [],
    }
    assert made[1].body["tagValue"] == "ann"
    arm.patch(RG, {"tags": {"Owner": "bob"}})
    assert names(arm)["owner"] == {"ann": 0, "bob": 1}
    assert arm.put(f"{NAMES}/team/tagValues/net", {}, version="2021-04-01").status == 200, "it is in use already"


def test_a_tag_is_deleted_value_by_value_and_not_while_it_is_in_use() -> None:
    arm = full()
    arm.put(f"{NAMES}/owner/tagValues/ann", {}, version="2021-04-01")
    paths = ("team/tagValues/net", "owner", "owner/tagValues/ann", "owner", "owner")
    answers = [arm.delete(f"{NAMES}/{path}", version="2021-04-01") for path in paths]
    assert [(one.status, one.code) for one in answers[:2]] == [(409, "TagInUse"), (409, "TagInUse")]
    assert [one.status for one in answers[2:]] == [200, 200, 204]
    assert "owner" not in names(arm)


def test_what_only_reads_makes_no_names_of_tags() -> None:
    arm = full()
    assert arm.put(f"{NAMES}/owner", {}, version="2021-04-01", by="reader").code == "AuthorizationFailed"
    assert arm.call("POST", f"{NAMES}/owner", {}, version="2021-04-01").status == 405
    assert "owner" not in names(arm)


def test_locations_have_display_names_geography_and_pairs() -> None:
    listed = Arm().get(f"{HERE}/locations", version="2022-12-01").body["value"]
    (west,) = [one for one in listed if one["name"] == "westeurope"]
    assert (west["displayName"], west["regionalDisplayName"]) == ("West Europe", "(Europe) West Europe")
    assert west["metadata"]["geographyGroup"] == "Europe"
    assert west["metadata"]["physicalLocation"] == "Netherlands"
    assert [one["name"] for one in west["metadata"]["pairedRegion"]] == ["northeurope"]
    names = {one["name"] for one in listed}
    assert all(pair["name"] in names for one in listed for pair in one["metadata"]["pairedRegion"])


def test_what_is_only_read_takes_no_other_verb() -> None:
    arm = Arm()
    for path in ("/subscriptions", "/tenants", HERE, f"{HERE}/locations", f"{HERE}/providers"):
        assert arm.put(path, {}).status == 405

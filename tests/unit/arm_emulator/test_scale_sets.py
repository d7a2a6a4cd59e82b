"""Scale sets, uniform and flexible: members, addresses, capacity, power, and what Resource Graph shows of them."""

from typing import Any

import pytest

from tests.support.arm import NET, RG, Arm, network_body, subnet_body

COMPUTE = f"{RG}/providers/Microsoft.Compute"
SET = f"{COMPUTE}/virtualMachineScaleSets/set"
SUBNET = f"{NET}/virtualNetworks/v/subnets/s"


def model(subnet: str = SUBNET, **properties: Any) -> dict[str, Any]:
    part = {"name": "ip", "properties": {"subnet": {"id": subnet}}}
    interface = {"name": "nic", "properties": {"primary": True, "ipConfigurations": [part], **properties}}
    return {
        "osProfile": {
            "computerNamePrefix": "vm",
            "adminUsername": "me",
            "adminPassword": "hidden",
            "customData": "eA==",
        },
        "storageProfile": {"imageReference": {"offer": "ubuntu"}},
        "networkProfile": {"networkInterfaceConfigurations": [interface]},
    }


def set_body(capacity: int, mode: str | None = None, **properties: Any) -> dict[str, Any]:
    asked = {"virtualMachineProfile": model(), **({"orchestrationMode": mode} if mode else {}), **properties}
    return {
        "location": "westeurope",
        "sku": {"name": "Standard_D2s_v5", "tier": "Standard", "capacity": capacity},
        "tags": {"team": "a"},
        "properties": asked,
    }


def prepared(prefix: str = "10.0.0.0/24") -> Arm:
    arm = Arm()
    arm.made(f"{NET}/virtualNetworks/v", network_body("10.0.0.0/16", subnets=[{"name": "s", **subnet_body(prefix)}]))
    return arm


def instances(arm: Arm) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = arm.get(f"{SET}/virtualMachines").body["value"]
    return found


def addresses(arm: Arm) -> list[str]:
    nics = arm.get(f"{SET}/networkInterfaces", version="2018-10-01").body["value"]
    return [nic["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] for nic in nics]


def power(arm: Arm, member: str) -> str:
    statuses = arm.get(f"{member}/instanceView").body["statuses"]
    return str(statuses[-1]["code"])


def test_a_uniform_set_makes_instances_with_addresses_of_the_subnet() -> None:
    arm = prepared()
    answer = arm.put(SET, set_body(3))
    assert (answer.status, answer.properties["provisioningState"]) == (201, "Creating")
    assert "azure-asyncoperation" in answer.headers
    assert [one["properties"]["provisioningState"] for one in instances(arm)] == ["Creating"] * 3
    arm.wait()
    found = instances(arm)
    assert [(one["name"], one["instanceId"]) for one in found] == [("set_0", "0"), ("set_1", "1"), ("set_2", "2")]
    assert found[0]["type"] == "Microsoft.Compute/virtualMachineScaleSets/virtualMachines"
    assert found[0]["tags"] == {"team": "a"}
    assert found[1]["properties"]["osProfile"]["computerName"] == "vm000001"
    assert found[0]["properties"]["latestModelApplied"] is True
    assert addresses(arm) == ["10.0.0.4", "10.0.0.5", "10.0.0.6"]
    assert power(arm, f"{SET}/virtualMachines/0") == "PowerState/running"
    used = arm.get(SUBNET).properties["ipConfigurations"]
    assert len(used) == 3
    assert used[0]["id"].lower().endswith("/virtualmachines/0/networkinterfaces/nic/ipconfigurations/ip")


def test_the_interfaces_of_an_instance_are_read_below_it_in_versions_of_microsoft_network() -> None:
    arm = prepared()
    arm.made(SET, set_body(1))
    path = f"{SET}/virtualMachines/0/networkInterfaces"
    [listed] = arm.get(path, version="2018-10-01").body["value"]
    one = arm.get(f"{path}/nic", version="2024-05-01").body
    assert listed["id"].lower() == one["id"].lower() == f"{path}/nic".lower()
    assert one["properties"]["virtualMachine"] == {"id": f"{SET}/virtualMachines/0"}
    assert arm.get(f"{path}/nic/ipConfigurations", version="2018-10-01").body["value"][0]["name"] == "ip"
    assert arm.put(f"{path}/nic", {"properties": {}}, version="2018-10-01").status == 405
    assert arm.delete(f"{path}/nic", version="2018-10-01").status == 405


def test_what_is_secret_in_a_model_is_never_answered() -> None:
    arm = prepared()
    arm.made(SET, set_body(1))
    for body in (arm.get(SET).body, *instances(arm)):
        assert "hidden" not in str(body)
        assert "customData" not in str(body)


def test_capacity_grows_by_patch_and_shrinks_from_the_highest_instance_id() -> None:
    arm = prepared()
    arm.made(SET, set_body(2))
    answer = arm.patch(SET, {"sku": {"capacity": 4}})
    assert (answer.status, answer.properties["provisioningState"]) == (200, "Updating")
    arm.wait()
    assert [one["instanceId"] for one in instances(arm)] == ["0", "1", "2", "3"]
    arm.patch(SET, {"sku": {"capacity": 1}})
    assert [one["properties"]["provisioningState"] for one in instances(arm)] == ["Succeeded", *["Deleting"] * 3]
    arm.wait()
    assert [one["instanceId"] for one in instances(arm)] == ["0"]
    assert addresses(arm) == ["10.0.0.4"]
    arm.patch(SET, {"sku": {"capacity": 2}})
    arm.wait()
    assert [one["instanceId"] for one in instances(arm)] == ["0", "4"], "instance ids are not used twice"


def test_a_subnet_without_room_refuses_more_instances() -> None:
    arm = prepared("10.0.0.0/29")
    assert arm.put(SET, set_body(4)).code == "SubnetIsFull"
    assert arm.get(SET).status == 404
    arm.made(SET, set_body(3))
    assert arm.patch(SET, {"sku": {"capacity": 4}}).code == "SubnetIsFull"
    assert arm.delete(SUBNET).code == "InUseSubnetCannotBeDeleted"


def test_instances_are_stopped_started_and_deleted() -> None:
    arm = prepared()
    arm.made(SET, set_body(3))
    assert arm.call("POST", f"{SET}/virtualMachines/1/deallocate").status == 202
    arm.wait()
    assert power(arm, f"{SET}/virtualMachines/1") == "PowerState/deallocated"
    assert arm.call("POST", f"{SET}/powerOff", {"instanceIds": ["0"]}).status == 202
    arm.wait()
    counts = {
        one["code"]: one["count"] for one in arm.get(f"{SET}/instanceView").body["virtualMachine"]["statusesSummary"]
    }
    assert counts == {
        "ProvisioningState/succeeded": 3,
        "PowerState/stopped": 1,
        "PowerState/deallocated": 1,
        "PowerState/running": 1,
    }
    arm.call("POST", f"{SET}/start")
    arm.wait()
    assert [power(arm, f"{SET}/virtualMachines/{n}") for n in range(3)] == ["PowerState/running"] * 3
    assert arm.call("POST", f"{SET}/delete", {"instanceIds": ["1"]}).status == 202
    arm.wait()
    arm.gone(f"{SET}/virtualMachines/2")
    assert [one["instanceId"] for one in instances(arm)] == ["0"]
    assert arm.get(SET).body["sku"]["capacity"] == 1
    refused = arm.call("POST", f"{SET}/start", {"instanceIds": ["7"]})
    assert (refused.status, refused.code) == (400, "InvalidParameter")
    assert "7 is not an active Virtual Machine Scale Set VM instanceId" in refused.message
    assert arm.call("POST", f"{SET}/delete", {}).code == "InvalidParameter"


def test_a_changed_model_reaches_instances_when_they_are_upgraded() -> None:
    arm = prepared()
    arm.made(SET, set_body(2))
    changed = set_body(2)
    changed["properties"]["virtualMachineProfile"]["licenseType"] = "RHEL_BYOS"
    arm.made(SET, changed)
    assert [one["properties"]["latestModelApplied"] for one in instances(arm)] == [False, False]
    arm.call("POST", f"{SET}/manualupgrade", {"instanceIds": ["0"]})
    arm.wait()
    assert [one["properties"]["latestModelApplied"] for one in instances(arm)] == [True, False]


def test_an_instance_takes_tags_and_protection_and_nothing_else() -> None:
    arm = prepared()
    arm.made(SET, set_body(1))
    body = {"location": "westeurope", "tags": {"a": "b"}, "properties": {"protectionPolicy": {"protectFromScaleIn": True}, "vmId": "x"}}  # fmt: skip
    assert arm.put(f"{SET}/virtualMachines/0", body).status == 200
    arm.wait()
    found = arm.get(f"{SET}/virtualMachines/0").body
    assert (found["tags"], found["instanceId"], found["name"]) == ({"a": "b"}, "0", "set_0")
    assert found["properties"]["protectionPolicy"] == {"protectFromScaleIn": True}
    assert found["properties"]["osProfile"]["computerName"] == "vm000000"
    assert arm.put(f"{SET}/virtualMachines/9", body).status == 404


def test_expand_shows_the_instance_view_in_a_list() -> None:
    arm = prepared()
    arm.made(SET, set_body(1))
    raw = "api-version=2024-07-01&%24expand=instanceView"
    [one] = arm.get(f"{SET}/virtualMachines?{raw}").body["value"]
    assert one["properties"]["instanceView"]["statuses"][-1]["code"] == "PowerState/running"


def test_computeresources_shows_uniform_instances_and_their_interfaces() -> None:
    arm = prepared()
    arm.made(SET, set_body(2))
    arm.wait()  # the graph is some seconds behind
    rows = arm.query(
        "computeresources | where type =~ 'Microsoft.Compute/virtualMachineScaleSets/virtualMachines'"
        " | project id, power = properties.extended.instanceView.powerState.code | order by id asc"
    ).body["data"]
    assert [row["power"] for row in rows] == ["PowerState/running"] * 2
    nics = arm.query(
        "computeresources | where type =~ 'microsoft.compute/virtualmachinescalesets/virtualmachines/networkinterfaces'"
        " | project address = properties.ipConfigurations[0].properties.privateIPAddress | order by tostring(address) asc"
    ).body["data"]
    assert [row["address"] for row in nics] == ["10.0.0.4", "10.0.0.5"]
    sets = arm.query("resources | where type =~ 'microsoft.compute/virtualmachinescalesets' | project sku.capacity")
    assert sets.body["data"] == [{"sku_capacity": 2}]


def test_a_flexible_set_makes_plain_machines_and_interfaces() -> None:
    arm = prepared()
    arm.made(SET, set_body(2, "Flexible", platformFaultDomainCount=1))
    machines = arm.get(f"{COMPUTE}/virtualMachines").body["value"]
    assert [one["properties"]["virtualMachineScaleSet"]["id"] for one in machines] == [SET, SET]
    assert [one["properties"]["provisioningState"] for one in machines] == ["Succeeded"] * 2
    assert all(one["name"].startswith("set_") for one in machines)
    nics = arm.get(f"{NET}/networkInterfaces").body["value"]
    assert sorted(nic["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] for nic in nics) == ["10.0.0.4", "10.0.0.5"]  # fmt: skip
    assert nics[0]["properties"]["virtualMachine"]["id"] in {one["id"].replace("/RG/", "/rg/") for one in machines}
    arm.wait()
    assert arm.query("computeresources | count").body["data"] == [{"Count": 0}]
    assert power(arm, machines[0]["id"]) == "PowerState/running"
    arm.gone(machines[0]["id"])
    assert arm.get(SET).body["sku"]["capacity"] == 1
    assert len(arm.get(f"{NET}/networkInterfaces").body["value"]) == 1, "deleteOption Delete takes the interface along"
    arm.gone(SET)
    assert arm.get(f"{COMPUTE}/virtualMachines").body["value"] == []
    assert "ipConfigurations" not in arm.get(SUBNET).properties


def test_a_flexible_set_may_be_empty_and_take_machines_in() -> None:
    arm = prepared()
    arm.made(
        SET, {"location": "westeurope", "properties": {"orchestrationMode": "Flexible", "platformFaultDomainCount": 1}}
    )
    assert arm.get(SET).body["sku"]["capacity"] == 0
    nic, machine = f"{NET}/networkInterfaces/own", f"{COMPUTE}/virtualMachines/own"
    part = {"name": "c", "properties": {"subnet": {"id": SUBNET}}}
    arm.made(nic, {"location": "westeurope", "properties": {"ipConfigurations": [part]}})
    profile = {"networkInterfaces": [{"id": nic}]}
    asked: dict[str, Any] = {"networkProfile": profile, "virtualMachineScaleSet": {"id": SET}}
    arm.made(machine, {"location": "westeurope", "properties": asked})
    assert arm.get(SET).body["sku"]["capacity"] == 1
    del asked["virtualMachineScaleSet"]
    assert arm.put(machine, {"location": "westeurope", "properties": asked}).code == "PropertyChangeNotAllowed"
    arm.gone(machine)
    assert arm.get(SET).body["sku"]["capacity"] == 0
    assert arm.get(nic).status == 200, "an interface without deleteOption stays"


def test_a_machine_joins_flexible_sets_only() -> None:
    arm = prepared()
    arm.made(SET, set_body(0))
    part = {"name": "c", "properties": {"subnet": {"id": SUBNET}}}
    nic = f"{NET}/networkInterfaces/own"
    arm.made(nic, {"location": "westeurope", "properties": {"ipConfigurations": [part]}})
    profile = {"networkInterfaces": [{"id": nic}]}
    body = {"location": "westeurope", "properties": {"networkProfile": profile, "virtualMachineScaleSet": {"id": SET}}}
    assert arm.put(f"{COMPUTE}/virtualMachines/own", body).code == "InvalidParameter"


def test_deleting_a_uniform_set_frees_its_subnet() -> None:
    arm = prepared()
    arm.made(SET, set_body(2))
    etag = arm.get(SUBNET).body["etag"]
    arm.gone(SET)
    assert arm.get(f"{SET}/virtualMachines/0").status == 404
    assert arm.get(SUBNET).body["etag"] != etag
    arm.gone(SUBNET)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (set_body(1, "Round"), "InvalidParameter"),
        (set_body(1001), "InvalidParameter"),
        ({**set_body(1), "sku": None}, "InvalidParameter"),
        (set_body(1, virtualMachineProfile={}), "InvalidParameter"),
        (set_body(1, virtualMachineProfile=model(f"{NET}/virtualNetworks/v/subnets/no")), "InvalidResourceReference"),
        ({**set_body(1), "location": "eastus"}, "InvalidParameter"),
    ],
)
def test_scale_sets_that_cannot_be_are_refused(body: dict[str, Any], code: str) -> None:
    arm = prepared()
    answer = arm.put(SET, body)
    assert (answer.status, answer.code) == (400, code)
    assert arm.get(SET).status == 404


def test_mode_and_zones_of_a_scale_set_are_fixed() -> None:
    arm = prepared()
    arm.made(SET, set_body(1))
    assert arm.put(SET, set_body(1, "Flexible")).code == "PropertyChangeNotAllowed"
    assert arm.put(SET, {**set_body(1), "zones": ["1"]}).code == "PropertyChangeNotAllowed"


def test_a_right_on_the_subnet_is_needed_for_a_scale_set() -> None:
    arm = prepared()
    refused = arm.put(SET, set_body(1), by="reader")
    assert refused.code == "AuthorizationFailed"


def test_rows_of_a_scale_set_in_an_estate_file_are_live() -> None:
    nic = {
        "ipConfigurations": [{"name": "ip", "properties": {"subnet": {"id": SUBNET}, "privateIPAddress": "10.0.0.9"}}],
    }
    view = {"extended": {"instanceView": {"powerState": {"code": "PowerState/deallocated"}}}}
    sku = {"name": "Standard_D2s_v5", "capacity": 1}
    network = network_body("10.0.0.0/16", subnets=[{"name": "s", **subnet_body("10.0.0.0/24")}])
    asked = {"virtualMachineProfile": model()}
    arm = Arm(
        estate=[
            {"id": f"{SET}/virtualMachines/3", "location": "westeurope", "properties": view},
            {"id": f"{SET}/virtualMachines/3/networkInterfaces/nic", "properties": nic},
            {"id": SET, "location": "westeurope", "sku": sku, "properties": asked},
            {"id": f"{NET}/virtualNetworks/v", **network},
        ]
    )
    assert power(arm, f"{SET}/virtualMachines/3") == "PowerState/deallocated"
    assert addresses(arm) == ["10.0.0.9"]
    arm.patch(SET, {"sku": {"capacity": 2}})
    arm.wait()
    assert [one["instanceId"] for one in instances(arm)] == ["3", "4"]
    assert addresses(arm) == ["10.0.0.9", "10.0.0.4"]

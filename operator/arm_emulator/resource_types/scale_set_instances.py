"""The instances of uniform scale sets and their interfaces: read, started, stopped and deleted one by one."""

from http import HTTPStatus

from arm_emulator.cloud import Cloud
from arm_emulator.errors import ArmError, Json
from arm_emulator.operations import Timing
from arm_emulator.resource_types.base import Put, ResourceType
from arm_emulator.resource_types.bodies import answered_parts
from arm_emulator.resource_types.machines import Machine
from arm_emulator.resource_types.network_interfaces import interface_references, mac_address
from arm_emulator.resource_types.scale_set_members import INSTANCE_INTERFACES, INSTANCES, MODEL
from arm_emulator.store import Reference, Resource


class ScaleSetInstances(Machine):
    """Made and removed by its set; a PUT changes tags and protection, and only of an instance that is there."""

    name = INSTANCES
    operation_suffix = "VirtualMachineScaleSetVM"
    envelope = frozenset(
        {"location", "tags", "properties", "sku", "zones", "identity", "plan", "instanceId", "resources"}
    )
    delete = Timing(30, (10,))
    read_only = frozenset(
        {"provisioningState", "vmId", "instanceView", "timeCreated", "latestModelApplied", "extended"}
    )

    def prepare(self, put: Put) -> None:
        if put.old is None:
            raise ArmError(
                HTTPStatus.NOT_FOUND,
                "InvalidParameter",
                f"The provided instanceId {put.id.name} is not an active Virtual Machine Scale Set VM instanceId.",
                target="instanceIds",
            )
        # What a PUT may change are tags and protection; everything else comes from the model.
        protection = put.properties.get("protectionPolicy")
        put.properties.clear()
        put.properties.update({**put.before, **({"protectionPolicy": protection} if protection else {})})
        tags = put.body.get("tags", put.old.body.get("tags"))
        put.body |= {name: value for name, value in put.old.body.items() if name not in ("properties", "tags")}
        put.body["tags"] = tags

    def adopted(self, item: Resource) -> None:
        group = item.id.parent
        item.body.setdefault("instanceId", item.name)
        item.body.setdefault("name", f"{'' if group is None else group.name}_{item.name}")

    def deleted(self, cloud: Cloud, item: Resource) -> None:
        group = None if item.parent_key is None else cloud.store.get(item.parent_key)
        if group is not None and isinstance(group.body.get("sku"), dict):
            group.body["sku"]["capacity"] = len(cloud.store.children(group.key, INSTANCES)) - 1
            cloud.store.put(group)

    def computed(self, cloud: Cloud, item: Resource) -> Json:
        group = None if item.parent_key is None else cloud.store.get(item.parent_key)
        model = 0 if group is None else group.body.get(MODEL, 0)
        return {"latestModelApplied": item.body.get(MODEL, model) == model}


class ScaleSetInterfaces(ResourceType):
    """Read only, 405 otherwise: it is as the set's model says."""

    name = INSTANCE_INTERFACES
    tracked = False
    envelope = frozenset({"properties", "location", "tags"})
    parts = {"ipconfigurations": "ipConfigurations"}  # noqa: RUF012  (declared ClassVar by the base)

    def prepare(self, put: Put) -> None:
        raise _not_to_be_written(str(put.id))

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        raise _not_to_be_written(str(item.id))

    def references(self, item: Resource) -> list[Reference]:
        return interface_references(item)

    def computed(self, cloud: Cloud, item: Resource) -> Json:
        parent = item.id.parent
        return {
            "ipConfigurations": answered_parts(cloud, item, "ipConfigurations"),
            "macAddress": item.properties.get("macAddress") or mac_address(item.key),
            "virtualMachine": {"id": str(parent)},
        }


def _not_to_be_written(interface: str) -> ArmError:
    return ArmError(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "UnsupportedHttpVerb",
        f"Network interface {interface} belongs to an instance of a scale set: it changes with the scale set's model.",
    )

"""Microsoft.Compute/virtualMachines: their interfaces, and the flexible scale set that they are in."""

from arm_emulator.clock import offset_iso
from arm_emulator.cloud import Cloud, id_of, items
from arm_emulator.errors import ArmError, bad_request, conflict, not_found
from arm_emulator.guids import new_guid
from arm_emulator.operations import Timing
from arm_emulator.resource_types.base import Link, Put
from arm_emulator.resource_types.bodies import keep
from arm_emulator.resource_types.machines import VIEW, Machine
from arm_emulator.store import Reference, Resource

MACHINES = "Microsoft.Compute/virtualMachines"
_PROFILES = (
    "networkProfile",
    "osProfile",
    "storageProfile",
    "hardwareProfile",
    "securityProfile",
    "diagnosticsProfile",
)
SECRET = ("adminPassword", "customData", "secrets")
"""Members of osProfile that Azure takes and never answers."""


class VirtualMachines(Machine):
    """Runs once it is made, 45 seconds; without etag, and secrets of `osProfile` are taken and never answered."""

    name = MACHINES
    operation_suffix = "VirtualMachine"
    members = ("name", "id", "type", "location", "tags", "plan", "identity", "zones", "properties")
    order = (
        "hardwareProfile", "provisioningState", "vmId", "storageProfile", "osProfile", "securityProfile",
        "networkProfile", "diagnosticsProfile", "instanceView", "timeCreated",
    )  # fmt: skip
    envelope = frozenset({"location", "tags", "properties", "sku", "zones", "identity", "plan", "extendedLocation"})
    create = Timing(45, (10,))
    delete = Timing(40, (10,))
    creating_state = "Creating"
    read_only = frozenset({"provisioningState", "vmId", "instanceView", "timeCreated", "resources", "extended"})
    merges_patch = True
    by_location = True

    def prepare(self, put: Put) -> None:
        for name in _PROFILES:
            if not isinstance(put.properties.get(name, {}), dict):
                raise bad_request(
                    "InvalidParameter", f"The value of parameter {name} is invalid: expected an object.", target=name
                )
        interfaces = items(put.properties.get("networkProfile", {}), "networkInterfaces")
        if not interfaces and put.old is None:
            raise bad_request(
                "InvalidParameter",
                "Required parameter 'networkProfile' is missing (null).",
                target="networkProfile",
            )
        for interface in interfaces:
            self._check_interface(put, str(id_of(interface)))
        _check_scale_set(put)
        put.properties.pop("userData", None)
        conceal(put.properties.get("osProfile"))
        put.properties["vmId"] = put.before.get("vmId") or new_guid()
        put.properties["timeCreated"] = put.before.get("timeCreated") or offset_iso(put.cloud.clock.now())
        keep(put, "storageProfile" if "storageProfile" not in put.properties else "vmId")
        if put.old is not None and VIEW in put.old.body:
            put.body[VIEW] = put.old.body[VIEW]

    def links(self, put: Put) -> list[Link]:
        profile = put.properties.get("networkProfile") or {}
        ids = [id_of(interface) for interface in items(profile, "networkInterfaces")]
        return [Link("Microsoft.Network/networkInterfaces/join/action", found) for found in ids if found]

    def references(self, item: Resource) -> list[Reference]:
        profile = item.properties.get("networkProfile")
        profile = profile if isinstance(profile, dict) else {}
        ids = [id_of(interface) for interface in items(profile, "networkInterfaces")]
        found = [Reference("networkInterface", one, str(item.id)) for one in ids if one]
        group = id_of(item.properties.get("virtualMachineScaleSet"))
        return [*found, Reference("virtualMachineScaleSet", group, str(item.id))] if group else found

    def committed(self, cloud: Cloud, item: Resource, put: Put) -> None:
        if put.old is None:
            _count_in_scale_set(cloud, item, 1)

    def deleted(self, cloud: Cloud, item: Resource) -> None:
        for interface in items(item.properties.get("networkProfile") or {}, "networkInterfaces"):
            standing = cloud.find(id_of(interface))
            if standing is not None and (interface.get("properties") or {}).get("deleteOption") == "Delete":
                cloud.drop(standing)
        _count_in_scale_set(cloud, item, -1)

    def _check_interface(self, put: Put, interface_id: str) -> None:
        interface = put.cloud.find(interface_id)
        if interface is None:
            raise not_found(
                "NetworkInterfaceNotFound",
                f"Network interface {interface_id} referenced by virtual machine {put.id} was not found.",
            )
        if interface.location.lower() != put.location.lower():
            raise bad_request(
                "InvalidParameter",
                f"Network interface {interface.id} is in {interface.location}, not in {put.location}.",
            )
        for user in put.cloud.store.referrers(interface.key, "networkInterface"):
            if user.source != put.id.key:
                raise ArmError(
                    400,
                    "NicInUse",
                    f"Network Interface {interface.id} is used by existing resource {user.element}.",
                )


def _check_scale_set(put: Put) -> None:
    """A machine joins a flexible scale set when it is made, and stays in it."""
    wanted = id_of(put.properties.get("virtualMachineScaleSet"))
    before = id_of(put.before.get("virtualMachineScaleSet"))
    if put.old is not None and (wanted or "").lower() != (before or "").lower():
        raise conflict("PropertyChangeNotAllowed", "Changing property 'virtualMachineScaleSet' is not allowed.")
    group = put.cloud.find(wanted)
    if (
        wanted is not None
        and put.old is None
        and (group is None or group.properties.get("orchestrationMode") != "Flexible")
    ):
        raise bad_request(
            "InvalidParameter",
            f"Scale set {wanted} of virtual machine {put.id} was not found or is not in Flexible orchestration mode.",
            target="virtualMachineScaleSet",
        )


def _count_in_scale_set(cloud: Cloud, item: Resource, change: int) -> None:
    group = cloud.find(id_of(item.properties.get("virtualMachineScaleSet")))
    if group is not None and isinstance(group.body.get("sku"), dict):
        group.body["sku"]["capacity"] = max(0, int(group.body["sku"].get("capacity") or 0) + change)
        cloud.store.put(group)


def conceal(profile: object) -> None:
    """Takes out of an osProfile what is never answered."""
    if isinstance(profile, dict):
        for name in SECRET:
            profile.pop(name, None)

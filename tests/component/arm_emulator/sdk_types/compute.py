"""Virtual machines and scale sets."""

from tests.component.arm_emulator.sdk_types.row import Row, inner, ref, tracked

PROFILE = {"adminUsername": "me", "adminPassword": "hidden"}
SUBNET = "{net}/virtualNetworks/v1/subnets/s"
LISTS: dict[str, tuple[str, ...]] = {"list": ("{rg}",), "list_all": (), "list_by_location": ("westeurope",)}


def scale_set(subnet: str, capacity: int, **properties: object) -> dict[str, object]:
    """The body of a scale set; Uniform unless told otherwise."""
    part = {"name": "c", **inner(subnet=ref(subnet))}
    interface = {"name": "nic", **inner(primary=True, ipConfigurations=[part])}
    profile = {
        "osProfile": {"computerNamePrefix": "vm", **PROFILE},
        "networkProfile": {"networkInterfaceConfigurations": [interface], "networkApiVersion": "2020-11-01"},
    }
    body = tracked(virtualMachineProfile=profile, **{"orchestrationMode": "Uniform", **properties})
    return {**body, "sku": {"name": "Standard_D2s_v5", "tier": "Standard", "capacity": capacity}}


COMPUTE = (
    Row(
        "Microsoft.Compute/virtualMachines",
        "compute.virtual_machines",
        tracked(
            hardwareProfile={"vmSize": "Standard_D2s_v5"},
            osProfile={"computerName": "vm", **PROFILE},
            networkProfile={"networkInterfaces": [ref("{net}/networkInterfaces/nic{n}")]},
        ),
        {"properties.hardware_profile.vm_size": "Standard_D2s_v5", "properties.os_profile.admin_password": None},
        inner(hardwareProfile={"vmSize": "Standard_D4s_v5"}),
        {"properties.hardware_profile.vm_size": "Standard_D4s_v5"},
        (
            inner(networkProfile={"networkInterfaces": [ref("{net}/networkInterfaces/none")]}),
            "NetworkInterfaceNotFound",
        ),
        lists=LISTS,
        needs=("nic1", "nic2"),
        patch="begin_update",
    ),
    Row(
        "Microsoft.Compute/virtualMachineScaleSets",
        "compute.virtual_machine_scale_sets",
        scale_set(SUBNET, 1),
        {"sku.capacity": 1, "properties.orchestration_mode": "Uniform"},
        {"sku": {"capacity": 2}},
        {"sku.capacity": 2},
        (inner(orchestrationMode="Flexible"), "PropertyChangeNotAllowed"),
        lists=LISTS,
        needs=("v1",),
        patch="begin_update",
    ),
)

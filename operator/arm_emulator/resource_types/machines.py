"""What virtual machines and the instances of scale sets share: power state, instance view, start and stop."""

from collections.abc import Mapping
from typing import ClassVar

from arm_emulator.clock import offset_iso
from arm_emulator.cloud import Cloud
from arm_emulator.errors import Json, conflict
from arm_emulator.operations import Operation, Timing
from arm_emulator.resource_types.base import Action, Call, ResourceType
from arm_emulator.store import Resource

VIEW = "_instanceView"
"""Where the stored body keeps what Azure shows as instance view only."""
POWER: Mapping[str, tuple[str, str, float]] = {
    "start": ("running", "VM running", 30),
    "restart": ("running", "VM running", 40),
    "poweroff": ("stopped", "VM stopped", 20),
    "deallocate": ("deallocated", "VM deallocated", 40),
}


class Machine(ResourceType):
    """A machine that is started and stopped by actions, and tells its state by its instance view."""

    has_etag = False
    update = Timing(10, (10,))
    actions = {"start": "start", "restart": "restart", "poweroff": "powerOff", "deallocate": "deallocate"}  # noqa: RUF012
    operation_suffix: ClassVar[str]
    """What the names of its operations end with."""

    def succeeded(self, cloud: Cloud, item: Resource, operation: Operation) -> None:
        power = operation.detail.get("power") if operation.target == item.key else None
        if power is not None:
            item.body[VIEW] = {**item.body.get(VIEW, {}), "powerState": power}
        elif VIEW not in item.body:
            item.body[VIEW] = running_view(item.properties)

    def row(self, cloud: Cloud, item: Resource) -> Json:
        view = item.body.get(VIEW)
        return {} if view is None else {"extended": {"instanceView": view}}

    def view(self, cloud: Cloud, item: Resource, segment: str, query: Mapping[str, str]) -> Json | None:
        return instance_view(cloud, item) if segment == "instanceview" else None

    def expanded(self, cloud: Cloud, item: Resource, expand: str) -> Json:
        return {"instanceView": instance_view(cloud, item)} if "instanceview" in expand else {}

    def act(self, cloud: Cloud, item: Resource, call: Call) -> Action:
        code, display, seconds = POWER[call.action]
        if item.state in ("Creating", "Deleting"):
            name = item.body.get("name", item.name)
            raise conflict(
                "OperationNotAllowed",
                f"Operation '{call.action}' is not allowed on VM '{name}' since it is {item.state}.",
            )
        operation = f"{self.actions[call.action]}{self.operation_suffix}"
        return Action(operation, Timing(seconds, (10,)), {"power": power_state(code, display)})


def power_state(code: str, display: str) -> Json:
    """A power state as the instance view has it."""
    return {"code": f"PowerState/{code}", "displayStatus": display, "level": "Info"}


def instance_view(cloud: Cloud, item: Resource) -> Json:
    """The answer of `…/instanceView`: the provisioning state and the power state as statuses."""
    view = item.body.get(VIEW) or {}
    state = item.state
    statuses: list[Json] = [
        {
            "code": f"ProvisioningState/{state.lower()}",
            "level": "Info",
            "displayStatus": f"Provisioning {state.lower()}",
            "time": offset_iso(cloud.clock.now()),
        }
    ]
    if view.get("powerState"):
        power = view["powerState"]
        statuses.append({name: power[name] for name in ("code", "level", "displayStatus") if name in power})
    guest = {name: value for name, value in view.items() if name != "powerState"}
    return {**guest, "statuses": statuses}


def running_view(properties: Json) -> Json:
    """The instance view of a machine that has just come up."""
    return {"powerState": power_state("running", "VM running"), **_guest(properties)}


def _guest(properties: Json) -> Json:
    """What the agent tells about a guest of the requested image; absent where the body does not say."""
    profile = properties.get("osProfile") or {}
    guest: Json = {"hyperVGeneration": "V2"}
    if isinstance(profile, dict) and profile.get("computerName"):
        guest["computerName"] = profile["computerName"]
    return guest

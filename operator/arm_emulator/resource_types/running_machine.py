"""What asks about a running machine's interface: which interface that is, and the refusal where nothing runs."""

from arm_emulator.cloud import Cloud, id_of, items
from arm_emulator.errors import ArmError, bad_request, invalid_reference
from arm_emulator.resource_types.machines import VIEW
from arm_emulator.store import Resource

INTERFACES = "microsoft.network/networkinterfaces"


def refuse_unless_running(cloud: Cloud, interface: Resource) -> None:
    """Raises where no machine holds the interface, or one that does not run: Azure then has nothing in effect to show."""
    machine = next(
        (cloud.store.get(one.source) for one in cloud.store.referrers(interface.key, "networkInterface")), None
    )
    if machine is None:
        raise _not_running(interface, "is not attached to a virtual machine")
    power = (machine.body.get(VIEW) or {}).get("powerState") or {}
    if str(power.get("code", "PowerState/running")).lower() != "powerstate/running":
        raise _not_running(interface, f"is attached to virtual machine {machine.id}, which is not running")


def interface_of(cloud: Cloud, target_id: object, interface_id: object, owner: str) -> Resource:
    """The interface that a question is about: itself, the one that is named, or the machine's primary one.

    Raises where there is none. `owner` is who asks, for the message.
    """
    target = cloud.find(str(target_id)) if target_id else None
    if target is None:
        raise invalid_reference(str(target_id), owner)
    if target.id.type.lower() == INTERFACES:
        return target
    listed = items(target.properties.get("networkProfile") or {}, "networkInterfaces")
    marked = [one for one in listed if (one.get("properties") or {}).get("primary") is True]
    wanted = str(interface_id) if interface_id else next((id_of(one) for one in marked or listed), None)
    found = cloud.find(wanted)
    if found is None:
        raise bad_request(
            "InvalidTargetResource", f"Target resource {target.id} has no network interface {wanted or 'at all'}."
        )
    return found


def _not_running(interface: Resource, what: str) -> ArmError:
    return bad_request(
        "NetworkInterfaceNotAttachedToRunningVm",
        f"Network interface {interface.id} {what}. Effective rules and routes are known for running virtual machines only.",
    )

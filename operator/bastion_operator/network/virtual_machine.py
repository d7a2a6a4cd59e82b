"""Virtual machines, as read from ARM JSON of the compute provider or of Resource Graph."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.fields import Row, at, flag, mapping, objects, text, unreadable

_RUNNING = "running"
_UNTOLD = frozenset({"unknown"})
_MULTI_SESSION = re.compile("-avd|-evd", re.IGNORECASE)
_SCALE_SET = "/virtualmachinescalesets/"


class OperatingSystem(StrEnum):
    """What decides the protocol that a VM is asked for."""

    WINDOWS = "Windows"
    LINUX = "Linux"


@dataclass(frozen=True, slots=True)
class InterfaceReference:
    """A VM's reference to one of its NICs; ``id`` stands for one that cannot be read as those of ``fields.reference`` do."""

    id: str
    primary: bool


@dataclass(frozen=True, slots=True)
class VirtualMachine:
    """A VM. ``power_state`` is Azure's word (``running``, ``deallocated``), None where nothing says it.

    ``interfaces`` is None where the resource has no network profile. ``session_host`` holds what the VM itself says of
    being an Azure Virtual Desktop session host. ``scale_set_id``: the uniform scale set that it is an instance of.
    """

    id: str
    key: str
    name: str
    tenant_id: str | None
    tags: Row
    power_state: str | None
    operating_system: OperatingSystem | None
    interfaces: tuple[InterfaceReference, ...] | None
    session_host: bool
    scale_set_id: str | None = None

    @property
    def running(self) -> bool:
        """Whether Azure says that it runs."""
        return self.power_state == _RUNNING


def read_virtual_machine(row: Row, row_id: str) -> VirtualMachine:
    """A VM out of its ARM JSON."""
    properties = mapping(row, "properties")
    key = normalise_id(row_id)
    return VirtualMachine(
        id=row_id,
        key=key,
        name=text(row, "name") or row_id.rsplit("/", 1)[-1],
        tenant_id=text(row, "tenantId"),
        tags=mapping(row, "tags"),
        power_state=power_state(row),
        operating_system=operating_system(properties),
        interfaces=_interfaces(at(properties, "networkProfile", "networkInterfaces"), row_id),
        session_host=_is_session_host(row),
        scale_set_id=_scale_set_of(row_id) if _SCALE_SET in key else None,
    )


def power_state(row: Row) -> str | None:
    """The power state, lower-cased: from the graph's ``extended``, from an instance view, or as ``az vm list -d`` has it."""
    properties = mapping(row, "properties")
    code = text(properties, "extended", "instanceView", "powerState", "code") or _listed_state(row, properties)
    word = code.rsplit("/", 1)[-1] if code else (text(row, "powerState") or "").removeprefix("VM ")
    word = word.strip().lower()
    return word if word and word not in _UNTOLD else None


def _listed_state(row: Row, properties: Row) -> str | None:
    views = (
        mapping(properties, "instanceView"),
        mapping(row, "instanceView"),
        mapping(properties, "extended", "instanceView"),
    )
    statuses = (text(status, "code") or "" for view in views for status in objects(view, "statuses"))
    return next((status for status in statuses if status.lower().startswith("powerstate/")), None)


def operating_system(properties: Row) -> OperatingSystem | None:
    """The operating system by the disk, else by the profile that the VM was made with."""
    named = text(properties, "storageProfile", "osDisk", "osType")
    if named is not None:
        return _SYSTEMS.get(named.lower())
    profile = mapping(properties, "osProfile")
    if isinstance(profile.get("windowsConfiguration"), dict):
        return OperatingSystem.WINDOWS
    return OperatingSystem.LINUX if isinstance(profile.get("linuxConfiguration"), dict) else None


_SYSTEMS: Final = {system.value.lower(): system for system in OperatingSystem}


def _scale_set_of(row_id: str) -> str | None:
    """Instances of a uniform scale set are its children; those of a flexible one are VMs like any other."""
    key = row_id.lower()
    place = key.rfind("/virtualmachines/")
    return row_id[:place] if key.find(_SCALE_SET, 0, place) >= 0 else None


def _interfaces(listed: object, row_id: str) -> tuple[InterfaceReference, ...] | None:
    if type(listed) is not list:
        return None
    return tuple(
        [
            InterfaceReference(
                text(item, "id") or unreadable("networkInterfaces", row_id),
                flag(item, "properties", "primary") or flag(item, "primary"),
            )
            for item in listed
        ]
    )


def _is_session_host(row: Row) -> bool:
    parent = text(row, "tags", "cm-resource-parent")
    if parent is not None and "/hostpools/" in parent.lower():
        return True
    image = text(row, "properties", "storageProfile", "imageReference", "sku")
    return image is not None and _MULTI_SESSION.search(image) is not None

"""Microsoft.Compute/virtualMachineScaleSets: capacity, model, and what is done to many instances at once.

Rules: https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-orchestration-modes
"""

from collections import Counter
from collections.abc import Mapping

from arm_emulator.clock import iso
from arm_emulator.cloud import Cloud, id_of, items
from arm_emulator.errors import ArmError, Json, bad_request, conflict
from arm_emulator.guids import new_guid
from arm_emulator.operations import Operation, Timing
from arm_emulator.resource_types import bastion_rules
from arm_emulator.resource_types import scale_set_members as members
from arm_emulator.resource_types.base import Action, Call, Put
from arm_emulator.resource_types.bodies import default
from arm_emulator.resource_types.machines import POWER, VIEW, power_state
from arm_emulator.resource_types.network_interfaces import ASG_JOIN, GROUP_JOIN, SUBNET_JOIN
from arm_emulator.resource_types.pointers import Pointer, Pointing
from arm_emulator.resource_types.scale_set_members import MODEL, SCALE_SETS
from arm_emulator.resource_types.virtual_machines import conceal
from arm_emulator.store import Resource

MOST_INSTANCES = 1000
MODES = ("Uniform", "Flexible")
_INTERFACES = "virtualMachineProfile.networkProfile.networkInterfaceConfigurations"
_FIXED = ("orchestrationMode", "platformFaultDomainCount", "singlePlacementGroup")
_NETWORK = "Microsoft.Network"


class ScaleSets(Pointing):
    """Grows and shrinks to its capacity with the PUT; a changed model reaches instances by an upgrade."""

    name = SCALE_SETS
    has_etag = False
    envelope = frozenset({"location", "tags", "properties", "sku", "zones", "identity", "plan", "extendedLocation", "placement"})  # fmt: skip
    create = Timing(60, (10,))
    update = Timing(20, (10,))
    delete = Timing(40, (10,))
    creating_state = "Creating"
    read_only = frozenset({"provisioningState", "uniqueId", "timeCreated"})
    actions = {  # noqa: RUF012  (declared ClassVar by the base)
        **{name: name for name in ("start", "restart", "deallocate", "delete")},
        "poweroff": "powerOff",
        "manualupgrade": "manualupgrade",
    }
    below = {"networkinterfaces": (members.INSTANCE_INTERFACES,)}  # noqa: RUF012  (declared ClassVar by the base)
    merges_patch = True
    by_location = True
    pointers = (
        Pointer(f"{_INTERFACES}.ipConfigurations.subnet", "model", f"{_NETWORK}/virtualNetworks/subnets", SUBNET_JOIN),
        Pointer(f"{_INTERFACES}.networkSecurityGroup", "model", f"{_NETWORK}/networkSecurityGroups", GROUP_JOIN),
        Pointer(
            f"{_INTERFACES}.ipConfigurations.applicationSecurityGroups",
            "model",
            f"{_NETWORK}/applicationSecurityGroups",
            ASG_JOIN,
        ),
    )

    def prepare(self, put: Put) -> None:
        _check_profiles(put)
        mode = put.properties.get("orchestrationMode") or put.before.get("orchestrationMode") or "Uniform"
        if mode not in MODES:
            raise _invalid("orchestrationMode", f"'{mode}' is none of {', '.join(MODES)}")
        default(put.properties, orchestrationMode=mode)
        if mode == "Uniform":
            default(put.properties, singlePlacementGroup=True, overprovision=True)
            default(put.properties, upgradePolicy={"mode": "Manual"})
        _refuse_change(put)
        put.properties["uniqueId"] = put.before.get("uniqueId") or new_guid()
        put.properties["timeCreated"] = put.before.get("timeCreated") or iso(put.cloud.clock.now())
        super().prepare(put)
        self._check_capacity(put)
        _check_subnets(put)
        before = 0 if put.old is None else len(_staying(put.cloud, put.old))
        members.check_room(put.cloud, put.properties, members.capacity_of(put.body) - before)
        _count_model(put)

    def committed(self, cloud: Cloud, item: Resource, put: Put) -> None:
        missing = members.capacity_of(item.body) - len(_staying(cloud, item))
        if missing > 0:
            members.grow(cloud, item, missing)
        elif missing < 0:
            members.shrink(cloud, item, -missing)
        if (item.properties.get("upgradePolicy") or {}).get("mode") in ("Automatic", "Rolling"):
            _upgrade(cloud, item, None)
        cloud.store.put(item)

    def family(self, cloud: Cloud, item: Resource) -> list[Resource]:
        return [*super().family(cloud, item), *(members.members(cloud, item) if members.is_flexible(item) else [])]

    def succeeded(self, cloud: Cloud, item: Resource, operation: Operation) -> None:
        detail = operation.detail
        if detail.get("action") == "delete":
            _mark_leaving(cloud, item, detail["instances"])
        for member in members.members(cloud, item):
            if member.state == "Deleting":
                members.leave(cloud, member)
            elif detail.get("power") and _meant(member, detail["instances"]):
                member.body[VIEW] = {**member.body.get(VIEW, {}), "powerState": detail["power"]}
                cloud.store.put(member)
        if detail.get("action") == "manualupgrade":
            _upgrade(cloud, item, detail["instances"])
        if isinstance(item.body.get("sku"), dict):
            item.body["sku"]["capacity"] = len(members.members(cloud, item))

    def deleted(self, cloud: Cloud, item: Resource) -> None:
        if members.is_flexible(item):
            for machine in members.members(cloud, item):
                members.leave(cloud, machine)

    def view(self, cloud: Cloud, item: Resource, segment: str, query: Mapping[str, str]) -> Json | None:
        if segment == "instanceview":
            return _instance_view(cloud, item)
        if segment == "skus":
            sku = {name: value for name, value in (item.body.get("sku") or {}).items() if name != "capacity"}
            scale = {"minimum": 0, "maximum": MOST_INSTANCES, "defaultCapacity": 1, "scaleType": "Automatic"}
            return {"value": [{"resourceType": SCALE_SETS, "sku": sku, "capacity": scale}]}
        return None

    def act(self, cloud: Cloud, item: Resource, call: Call) -> Action:
        if item.state in ("Creating", "Deleting"):
            raise conflict(
                "OperationNotAllowed",
                f"Operation '{call.action}' is not allowed on VM Scale Set '{item.name}' since it is {item.state}.",
            )
        wanted = _wanted(cloud, item, call)
        detail: Json = {"action": call.action, "instances": wanted}
        seconds = 30.0
        if call.action in POWER:
            code, display, seconds = POWER[call.action]
            detail["power"] = power_state(code, display)
        return Action(f"{self.actions[call.action]}VirtualMachineScaleSet", Timing(seconds, (10,)), detail)

    def _check_capacity(self, put: Put) -> None:
        sku = put.body.get("sku")
        if not isinstance(sku, dict) or not sku.get("name"):
            if put.properties["orchestrationMode"] == "Uniform" or put.properties.get("virtualMachineProfile"):
                raise _invalid("sku", "Required parameter 'sku' is missing (null)")
            put.body["sku"] = {"name": None, "capacity": 0}
            return
        if sku.get("capacity") is None:
            sku["capacity"] = 0 if put.old is None else members.capacity_of(put.old.body)
        capacity = sku["capacity"]
        if not isinstance(capacity, int) or isinstance(capacity, bool) or not 0 <= capacity <= MOST_INSTANCES:
            raise _invalid("sku.capacity", f"'{capacity}' is not from 0 to {MOST_INSTANCES}")
        sku.setdefault("tier", "Standard")


def _check_profiles(put: Put) -> None:
    profile = put.properties.get("virtualMachineProfile")
    if profile is not None and not isinstance(profile, dict):
        raise _invalid("virtualMachineProfile", "expected an object")
    for owner, names in (
        (put.properties, ("upgradePolicy",)),
        (profile or {}, ("osProfile", "storageProfile", "networkProfile")),
    ):
        for name in names:
            if not isinstance(owner.get(name) or {}, dict):
                raise _invalid(name, "expected an object")
    if (
        put.old is None
        and not members.interface_configurations(put.properties)
        and (profile is not None or put.properties.get("orchestrationMode") != "Flexible")
    ):
        raise _invalid("networkProfile", "Required parameter 'networkProfile' is missing (null)")
    if profile is not None:
        conceal(profile.get("osProfile"))
        profile.pop("userData", None)
    _check_interfaces(put)


def _check_interfaces(put: Put) -> None:
    """Names are ids, and no two interfaces or configurations share one."""
    configurations = members.interface_configurations(put.properties)
    lists = [configurations]
    for one in configurations:
        properties = one.get("properties")
        if not isinstance(properties, dict):
            raise _invalid("networkInterfaceConfigurations.properties", "expected an object")
        parts = items(properties, "ipConfigurations")
        if not parts or not all(isinstance(part.get("properties"), dict) for part in parts):
            raise _invalid("ipConfigurations", "expected a list of objects with properties")
        lists.append(parts)
    for entries in lists:
        names = [str(entry.get("name") or "").lower() for entry in entries]
        if not all(names) or len(set(names)) != len(names) or any("/" in name for name in names):
            raise _invalid("name", f"'{', '.join(names)}' are not names that are all there and all different")


def _check_subnets(put: Put) -> None:
    """Every configuration has a subnet in the set's region that is not Bastion's."""
    for configuration in members.interface_configurations(put.properties):
        for part in items(configuration["properties"], "ipConfigurations"):
            subnet = put.cloud.find(id_of(part["properties"].get("subnet")))
            if subnet is None:
                raise _invalid("subnet", f"ipConfiguration '{part['name']}' has no subnet")
            network = put.cloud.store.get(subnet.root_key)
            if network is not None and network.location.lower() != put.location.lower():
                raise _invalid("subnet", f"subnet {subnet.id} is in {network.location}, not in {put.location}")
            bastion_rules.refuse_other_user(subnet, str(put.id))


def _refuse_change(put: Put) -> None:
    for name in _FIXED:
        if put.old is not None and put.before.get(name) is not None and put.properties.get(name) != put.before[name]:
            raise _not_allowed(name)
    if put.old is not None and (put.old.body.get("zones") or []) != (put.body.get("zones") or []):
        raise _not_allowed("zones")


def _not_allowed(name: str) -> ArmError:
    return conflict("PropertyChangeNotAllowed", f"Changing property '{name}' is not allowed.")


def _invalid(name: str, why: str) -> ArmError:
    return bad_request("InvalidParameter", f"The value of parameter {name} is invalid: {why}.", target=name)


def _count_model(put: Put) -> None:
    """A changed model leaves the instances behind until they are upgraded."""
    if put.old is None:
        return
    for name in ("_next", MODEL):
        if name in put.old.body:
            put.body[name] = put.old.body[name]
    if put.before.get("virtualMachineProfile") != put.properties.get("virtualMachineProfile"):
        put.body[MODEL] = put.old.body.get(MODEL, 0) + 1


def _staying(cloud: Cloud, item: Resource) -> list[Resource]:
    return [member for member in members.members(cloud, item) if member.state != "Deleting"]


def _instance_name(member: Resource) -> str:
    """What `instanceIds` call a member: an instance's number, a machine's name."""
    return member.name


def _meant(member: Resource, instances: list[str] | None) -> bool:
    return instances is None or _instance_name(member).lower() in instances


def _mark_leaving(cloud: Cloud, item: Resource, instances: list[str] | None) -> None:
    for member in members.members(cloud, item):
        if _meant(member, instances):
            member.properties["provisioningState"] = "Deleting"


def _upgrade(cloud: Cloud, item: Resource, instances: list[str] | None) -> None:
    for member in cloud.store.children(item.key, members.INSTANCES):
        if _meant(member, instances) and member.body.get(MODEL) != item.body.get(MODEL, 0):
            member.body[MODEL] = item.body.get(MODEL, 0)
            cloud.store.put(member)


def _wanted(cloud: Cloud, item: Resource, call: Call) -> list[str] | None:
    """The instances that a body names, lower-case; None for all. Raises InvalidParameter for those that are not there."""
    given = call.body.get("instanceIds")
    if given is None and call.action not in ("delete", "manualupgrade"):
        return None
    if not isinstance(given, list) or not given or not all(isinstance(one, str) for one in given):
        raise bad_request(
            "InvalidParameter", "Required parameter 'instanceIds' is missing (null).", target="instanceIds"
        )
    if given == ["*"]:
        return None
    standing = {_instance_name(member).lower() for member in members.members(cloud, item)}
    for one in given:
        if one.lower() not in standing:
            raise bad_request(
                "InvalidParameter",
                f"The provided instanceId {one} is not an active Virtual Machine Scale Set VM instanceId.",
                target="instanceIds",
            )
    return [one.lower() for one in given]


def _instance_view(cloud: Cloud, item: Resource) -> Json:
    """How many instances are in which state."""
    codes: Counter[str] = Counter()
    for member in members.members(cloud, item):
        codes[f"ProvisioningState/{member.state.lower()}"] += 1
        power = (member.body.get(VIEW) or {}).get("powerState") or {}
        if power.get("code"):
            codes[str(power["code"])] += 1
    state = item.state
    status = {"code": f"ProvisioningState/{state.lower()}", "level": "Info", "displayStatus": f"Provisioning {state.lower()}",
              "time": cloud.clock.timestamp()}  # fmt: skip
    summary = [{"code": code, "count": count} for code, count in codes.items()]
    return {"virtualMachine": {"statusesSummary": summary}, "statuses": [status]}

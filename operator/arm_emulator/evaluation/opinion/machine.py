"""The machine's side: whether it runs, its address, where it lies. Step 8."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address

from arm_emulator.errors import Json
from arm_emulator.evaluation.opinion.addresses import usable
from arm_emulator.evaluation.opinion.facts import (
    OPEN,
    UNREAD,
    Facts,
    column,
    flag,
    key,
    lists_whole,
    odd_prefixes,
    states,
)
from arm_emulator.evaluation.rows import SUBNETS, field, parts, referred, subnet_prefixes

INSTANCES = "/virtualmachinescalesets/"
SESSION_HOSTS = "Microsoft.DesktopVirtualization/hostPools/sessionHosts"
MULTI_SESSION = ("-avd", "-evd")


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine with what is known of it. `addresses`: its own, or none; of a scale set's instance, which may have `anywhere`
    of its subnet, one of every stretch that fares alike.

    `subnet` is the subnet's row, `subnet_id` what the machine says of it. `gaps` are codes of what is not known or not there.
    """

    row: Json
    interface: Json | None = None
    addresses: tuple[int, ...] = ()
    groups: frozenset[str] = frozenset()
    subnet_id: str | None = None
    subnet: Json | None = None
    gaps: tuple[str, ...] = ()
    anywhere: frozenset[int] = frozenset()

    @property
    def network_id(self) -> str | None:
        if self.subnet_id is None or SUBNETS not in self.subnet_id.lower():
            return None
        return self.subnet_id[: self.subnet_id.lower().rindex(SUBNETS)]


def machine(facts: Facts, machine_id: str) -> Machine:
    """Follows the machine to its primary interface, that one's primary IPv4 configuration, its subnet."""
    row = facts.find(machine_id)
    if row is None:
        raise LookupError(f"{machine_id} is not among the rows")
    own = _interfaces(row)
    if INSTANCES in key(machine_id) and not any(facts.find(_named(one)) for one in own or []):
        return _instance(facts, row)
    if own is None:
        return Machine(row, gaps=(OPEN,))
    if not own:
        return Machine(row, gaps=("NoIPv4Address",))
    chosen = _primary(facts, own)
    if chosen is None:
        return Machine(row, gaps=(OPEN,))
    interface = facts.find(chosen)
    return Machine(row, gaps=(facts.gone(chosen),)) if interface is None else _placed(facts, row, interface)


def _interfaces(row: Json) -> list[Json] | None:
    profile = field(row, "networkProfile")
    listed = profile.get("networkInterfaces") if isinstance(profile, dict) else None
    return listed if isinstance(listed, list) else None


def _primary(facts: Facts, listed: Sequence[object]) -> str | None:
    """The interface that is alone, or alone marked as primary by the machine, or by itself."""
    ids = [_named(one) for one in listed]
    if len(ids) == 1:
        return ids[0]
    marked = {_named(one) for one in listed if isinstance(one, dict) and flag(one, "primary")}
    marked = marked or {one for one in ids if flag(facts.find(one) or {}, "primary")}
    return marked.pop() if len(marked) == 1 else None


def _named(listed: object) -> str:
    """The key of an interface in a machine's list; UNREAD where it cannot be read."""
    named = listed.get("id") if isinstance(listed, dict) else None
    return key(named) if isinstance(named, str) and named else UNREAD


def _contenders(interface: Json) -> list[Json]:
    """The IPv4 configurations any of which may be the primary one; without a version the address tells."""

    def is_ipv4(one: Json) -> bool:
        version = field(one, "privateIPAddressVersion")
        return str(version).lower() == "ipv4" if version else ":" not in str(field(one, "privateIPAddress"))

    every = [one for one in _configurations(interface) if is_ipv4(one)]
    marked = [one for one in every if flag(one, "primary")]
    return marked if marked and len(every) > 1 else every


def _configurations(interface: Json) -> list[Json]:
    """The configurations that can be read."""
    return [one for one in parts(interface, "ipConfigurations") if isinstance(one.get("properties"), dict)]


def _the_one(interface: Json) -> Json | None:
    """The primary configuration where it is told; one that is not marked is alone only among what can all be read."""
    held = _contenders(interface)
    told = len(held) == 1 and (lists_whole(interface, "ipConfigurations") or flag(held[0], "primary"))
    return held[0] if told else None


def _placed(facts: Facts, row: Json, interface: Json) -> Machine:
    if not states(interface, "ipConfigurations"):
        return Machine(row, interface, gaps=(OPEN,))
    contenders = _contenders(interface)
    configuration = _the_one(interface)
    lying = {referred(one, "subnet") for one in contenders or _configurations(interface)}
    gaps: list[str] = []
    address = None if configuration is None else field(configuration, "privateIPAddress")
    addresses: tuple[int, ...] = ()
    if configuration is None and (contenders or not lists_whole(interface, "ipConfigurations")):
        gaps.append(OPEN)
    elif not address:
        gaps.append("NoIPv4Address")
    else:
        try:
            addresses = (int(IPv4Address(str(address))),)
        except ValueError:
            gaps.append(OPEN)
    subnet_id = lying.pop() if len(lying) == 1 else None
    if subnet_id is None:
        return Machine(row, interface, addresses, gaps=tuple(gaps or [OPEN]))
    subnet = facts.find(subnet_id)
    if subnet is None:
        network_id = subnet_id[: subnet_id.lower().rindex(SUBNETS)]
        gaps.append(facts.gone(subnet_id if facts.find(network_id) else network_id))
    groups = frozenset(key(str(one["id"])) for one in parts(configuration or {}, "applicationSecurityGroups"))
    return Machine(row, interface, addresses, groups, subnet_id, subnet, tuple(gaps))


def _instance(facts: Facts, row: Json) -> Machine:
    """An instance of a uniform scale set, whose interface is no row: by the network profile, any address of its subnet."""
    set_id = str(row["id"]).rpartition("/virtualMachines/")[0]
    own = field(row, "networkProfileConfiguration")
    profile = (field(facts.find(set_id) or {}, "virtualMachineProfile") or {}).get("networkProfile") or {}  # type: ignore[attr-defined]
    listed = (own.get("networkInterfaceConfigurations") if isinstance(own, dict) else None) or profile.get(
        "networkInterfaceConfigurations"
    )
    if not listed:
        return Machine(row, gaps=(facts.gone(set_id),))
    marked = [one for one in listed if flag(one, "primary")] if len(listed) > 1 else listed
    if len(marked) != 1:
        return Machine(row, gaps=(OPEN,))
    described = marked[0]
    placed = _placed(facts, row, {"id": f"{row['id']}/networkInterfaces/{described['name']}", **described})
    if placed.addresses or placed.subnet is None or _the_one(described) is None:
        return placed
    if odd_prefixes(placed.subnet):
        return replace(placed, gaps=(*(gap for gap in placed.gaps if gap != "NoIPv4Address"), OPEN))
    every = usable(subnet_prefixes(placed.subnet))
    gaps = tuple(gap for gap in placed.gaps if gap != "NoIPv4Address" or not every)
    return replace(placed, addresses=facts.stretches(every), gaps=gaps, anywhere=frozenset(every))


def machine_codes(facts: Facts, found: Machine) -> Iterator[str]:
    """What can be said of a machine without a Bastion."""
    state = power_state(found.row)
    if state is None:
        yield OPEN
    elif state != "running":
        yield "VMNotRunning"
    yield from found.gaps
    if _is_session_host(facts, found.row):
        yield "RdsOrAvdTarget"


def address_codes(found: Machine, asked: str | None) -> Iterator[str]:
    """Whether the address asked for is, or may be, the one that Bastion uses."""
    if asked is not None and found.addresses and int(IPv4Address(asked)) not in {*found.addresses, *found.anywhere}:
        yield "NotPrimaryNic"


def power_state(row: Json) -> str | None:
    """The last part of `PowerState/…`, from the graph's `extended` or from an instance view."""
    extended = field(row, "extended")
    views = [extended.get("instanceView") if isinstance(extended, dict) else None, field(row, "instanceView")]
    for view in views:
        if not isinstance(view, dict):
            continue
        codes = [(view.get("powerState") or {}).get("code"), *(one.get("code") for one in view.get("statuses") or [])]
        for code in codes:
            if str(code).lower().startswith("powerstate/"):
                word = str(code).lower().removeprefix("powerstate/")
                return None if word == "unknown" else word
    return None


def _is_session_host(facts: Facts, row: Json) -> bool:
    tags = row.get("tags") or {}
    image = ((field(row, "storageProfile") or {}).get("imageReference") or {}).get("sku") or ""  # type: ignore[attr-defined]
    listed = (field(one, "resourceId") for one in facts.of_type(SESSION_HOSTS))
    return (
        "/hostpools/" in str(tags.get("cm-resource-parent", "")).lower()
        or any(mark in image.lower() for mark in MULTI_SESSION)
        or key(str(row["id"])) in {key(str(one)) for one in listed}
    )


def system(row: Json) -> str | None:
    """Windows or Linux, by the disk; None where nothing says so."""
    profile = field(row, "storageProfile")
    disk = profile.get("osDisk") if isinstance(profile, dict) else None
    named = disk.get("osType") if isinstance(disk, dict) else None
    return str(named).capitalize() if str(named).lower() in {"windows", "linux"} else None


def tenant(facts: Facts, network_id: str | None, owner: Json) -> str | None:
    """The tenant of a network, by its row or its subscription's, else that of what lies in it."""
    network = facts.find(network_id)
    if network is not None:
        subscription = facts.find("/".join(str(network["id"]).split("/")[:3])) or {}
        named = column(network, "tenantId") or column(subscription, "tenantId") or field(subscription, "tenantId")
        if named:
            return str(named).lower()
    return (column(owner, "tenantId") or "").lower() or None

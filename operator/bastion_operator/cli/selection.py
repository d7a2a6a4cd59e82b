"""Which VMs and Bastions a person means, and which verdicts they want to see."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import click

from bastion_operator.cli.errors import NotThere, Refusal
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.codes import CODES
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Verdict
from bastion_operator.network.reachability.target import find_target
from bastion_operator.network.virtual_machine import VirtualMachine

_MOST_LISTED: Final = 10


@dataclass(frozen=True, slots=True)
class Choice:
    """What was asked for on the command line; empty parts choose nothing away."""

    vms: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    subnets: tuple[str, ...] = ()
    bastions: tuple[str, ...] = ()
    verdicts: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        known = {code.lower() for code in CODES}
        unknown = next((reason for reason in self.reasons if reason.lower() not in known), None)
        if unknown is not None:
            raise click.UsageError(f"--reason {unknown} is no code{_codes_like(unknown)}")

    def machines(self, inventory: Inventory) -> list[str] | None:
        """The ids of the VMs that are asked about, None for all. Raises Refusal."""
        if not (self.vms or self.tags or self.subnets):
            return None
        machines = inventory.virtual_machines.values()
        named = None if not self.vms else {normalise_id(each) for each in machine_ids(inventory, self.vms)}
        wanted = [_tag_that_is_there(machines, text) for text in self.tags]
        subnets = _subnet_keys(inventory, self.subnets)
        return [
            vm.id
            for vm in machines
            if (named is None or vm.key in named)
            and all(_has_tag(vm, *tag) for tag in wanted)
            and (not self.subnets or _subnet_of(inventory, vm) in subnets)
        ]

    def shown(self, verdicts: Iterable[Verdict]) -> list[Verdict]:
        """The verdicts that are asked for."""
        kinds, codes = {each.lower() for each in self.verdicts}, {each.lower() for each in self.reasons}
        return [
            one
            for one in verdicts
            if (not kinds or one.verdict.lower() in kinds)
            and (not codes or any(reason.code.lower() in codes for reason in one.reasons))
        ]


def machine_ids(inventory: Inventory, wanted: Sequence[str]) -> list[str]:
    """The ids of VMs named by id or name, in any case. Raises Refusal for a name that fits none, or several."""
    named = [(vm.id, vm.name) for vm in inventory.virtual_machines.values()]
    return [find_named("VM", text, named) for text in wanted]


def bastion_ids(inventory: Inventory, wanted: Sequence[str]) -> list[str]:
    """The ids of Bastions named by id or name; an id need not be in the data. Raises Refusal."""
    named = [(host.id, host.name) for host in inventory.bastions.values()]
    return [text if text.startswith("/") else find_named("Bastion", text, named) for text in wanted]


def find_named(what: str, text: str, named: Sequence[tuple[str, str]]) -> str:
    """The one id that fits a text: by itself, or by the name beside it. Raises Refusal."""
    fits: Callable[[str, str], bool] = _by_id(text) if text.startswith("/") else _by_name(text)
    found = sorted({resource_id for resource_id, name in named if fits(resource_id, name)})
    if not found:
        raise NotThere(
            f"{what} {text} is not in the data", f"check it, or add the source that holds it; {_like(text, named)}"
        )
    if len(found) > 1:
        more = f" and {len(found) - _MOST_LISTED} more" if len(found) > _MOST_LISTED else ""
        listed = ", ".join(found[:_MOST_LISTED])
        raise Refusal(
            f"the name {text} fits {len(found)} {what}s: {listed}{more}", "give the id of one in place of its name"
        )
    return found[0]


def _like(text: str, named: Sequence[tuple[str, str]]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415  only for a name that is wrong

    names = sorted({name for _, name in named})
    close = get_close_matches(text.rsplit("/", 1)[-1], names, n=3) or names[:3]
    return f"there are {', '.join(close)}{', …' if len(names) > len(close) else ''}" if close else "there is none"


def _codes_like(text: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415  only for a code that is wrong

    by_lower = {code.lower(): code for code in CODES}
    close = [by_lower[each] for each in get_close_matches(text.lower(), by_lower, n=3)]
    if not close:
        return ": docs/codes lists them"
    return f"; {' or '.join(filter(None, (', '.join(close[:-1]), close[-1])))} may be meant"


def _by_id(text: str) -> Callable[[str, str], bool]:
    key = normalise_id(text)
    return lambda resource_id, _: normalise_id(resource_id) == key


def _by_name(text: str) -> Callable[[str, str], bool]:
    lowered = text.lower()
    return lambda _, name: name.lower() == lowered


def _tag(text: str) -> tuple[str, str | None]:
    name, equals, value = text.partition("=")
    return name.lower(), value if equals else None


def _tag_that_is_there(machines: Iterable[VirtualMachine], text: str) -> tuple[str, str | None]:
    tag = _tag(text)
    if not any(_has_tag(vm, *tag) for vm in machines):
        raise NotThere(f"no VM in the data has the tag {text}", "check name and value; of values the case counts")
    return tag


def _has_tag(vm: VirtualMachine, name: str, value: str | None) -> bool:
    # Azure finds names of tags in any case, and values in their own.
    return any(str(each).lower() == name and value in {None, told} for each, told in vm.tags.items())


def _subnet_of(inventory: Inventory, vm: VirtualMachine) -> str | None:
    subnet = find_target(inventory, vm).subnet
    return None if subnet is None else subnet.key


def _subnet_keys(inventory: Inventory, wanted: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for text in wanted:
        fits = {key for key in inventory.subnets if _names_subnet(text, key)}
        if not fits:
            raise NotThere(f"subnet {text} is not in the data", "give its id, its name, or VNET/SUBNET after --subnet")
        found |= fits
    return found


def _names_subnet(text: str, key: str) -> bool:
    if text.startswith("/"):
        return normalise_id(text) == key
    parts = key.split("/")
    return [part.lower() for part in text.split("/")] in ([parts[-1]], [parts[-3], parts[-1]])

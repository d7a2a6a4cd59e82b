"""A verdict's codes in one call, for tables of cases."""

from typing import Any

from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Verdict, judge
from tests.support.estates import Estate, change, vm_id

LINK = "properties.virtualNetworkPeerings.0.properties"


def ask(estate: Estate, **asked: Any) -> Verdict:
    """The verdict for the VM ``web``."""
    return judge(Inventory.from_rows(estate), vm_id("web"), **asked)


def codes(estate: Estate, **asked: Any) -> list[str]:
    """Its reasons' codes in their order."""
    return [reason.code for reason in ask(estate, **asked).reasons]


def warned(estate: Estate, **asked: Any) -> set[str]:
    """Its warnings' codes."""
    return {warning.code for warning in ask(estate, **asked).warnings}


def link(estate: Estate, network: str, **fields: Any) -> Estate:
    """A copy with fields of the first link of a VNet changed."""
    for field, value in fields.items():
        estate = change(estate, network, f"{LINK}.{field}", value)
    return estate


def space(*prefixes: str) -> dict[str, list[str]]:
    """An address space as links hold it."""
    return {"addressPrefixes": list(prefixes)}

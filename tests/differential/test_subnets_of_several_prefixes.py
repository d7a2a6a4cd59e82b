"""Subnets that have several prefixes, some of which adjoin: Azure keeps five addresses of each."""

import pytest

from tests.differential.parts import WEB
from tests.differential.random_estates import BAS, INSTANCE, Asked, Question
from tests.differential.test_two_opinions import compare, engine
from tests.support.estates import Estate, change, rule, same_vnet, scale_set, with_nsg

SSH = Question("SSH", 22)
BASTION, WORKLOAD = (f"properties.subnets.{place}.properties.addressPrefixes" for place in (0, 1))


def told(estate: Estate, machine: str = WEB) -> tuple[list[str], list[str]]:
    """Codes of reasons, and of the warning on the subnet's size; both sides have to agree."""
    one = Asked(estate, questions=(SSH,), machines=(machine,))
    compare(one)
    (found,) = engine(one)(machine, SSH, BAS).candidates
    sizes = [warning.code for warning in found.warnings if warning.code == "SubnetTooSmall"]
    return [reason.code for reason in found.reasons], sizes


def test_each_prefix_has_its_own_reserved_addresses() -> None:
    # Facts: Bastion may use any address of its subnet but Azure's five. The engine took two neighbours for one prefix with
    # five in all, and was mended.
    kept = rule("kept", 100, "Deny", source=["10.0.1.63/32", "10.0.1.64/30"])
    estate = with_nsg(change(same_vnet(), "hub", BASTION, ["10.0.1.0/26", "10.0.1.64/26"]), "nic", kept)
    assert told(estate) == ([], [])
    used = rule("used", 100, "Deny", source="10.0.1.68/32")
    estate = with_nsg(change(same_vnet(), "hub", BASTION, ["10.0.1.64/26", "10.0.1.0/26"]), "nic", used)
    assert told(estate) == (["NsgPartiallyBlocksBastion"], [])


def test_an_instance_has_no_reserved_address_of_any_prefix() -> None:
    kept = rule("kept", 100, "Deny", destination=["10.0.2.127/32", "10.0.2.128/30"])
    estate = with_nsg(change(same_vnet(), "hub", WORKLOAD, ["10.0.2.0/25", "10.0.2.128/25"]), "subnet", kept)
    assert told([*estate, *scale_set("fleet", "hub", "workload")], INSTANCE) == ([], [])


@pytest.mark.parametrize(
    ("prefixes", "small"),
    [
        (["10.0.1.0/27", "10.0.1.32/27"], True),
        (["10.0.1.0/27", "10.0.1.64/26"], False),
        (["10.0.1.0/26"], False),
        (["10.0.1.0/27"], True),
    ],
)
def test_two_small_neighbours_are_no_large_prefix(prefixes: list[str], small: bool) -> None:
    # The engine took two /27 for a /26; mended.
    assert told(change(same_vnet(), "hub", BASTION, prefixes)) == ([], ["SubnetTooSmall"] * small)

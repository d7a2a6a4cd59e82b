"""Changes of an estate that must not change what is said of it, and some that may change it in one direction only."""

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bastion_operator.network.inventory import Inventory
from bastion_operator.network.prefixes import AddressSet, PrefixError, format_address, parse_prefix, prefix_length
from bastion_operator.network.reachability import judge_all
from tests.support.estates import Estate, Row, nic, nsg, rule, subnet, vm, vnet
from tests.unit.network.random_estates import random_estate

Told = dict[tuple[str, str], tuple[Any, ...]]


def told(rows: Estate, *, names: bool = True) -> Told:
    """What is said of each VM, without messages: they repeat what was written, and that changes."""
    return {
        (verdict.vm.lower(), verdict.protocol): (
            verdict.verdict,
            verdict.via,
            verdict.methods,
            [(reason.code, *((reason.rule, reason.priority) if names else ())) for reason in verdict.reasons],
            sorted({warning.code for warning in verdict.warnings}),
            [(candidate.bastion.lower(), candidate.verdict) for candidate in verdict.candidates],
        )
        for verdict in judge_all(Inventory.from_rows(rows), protocols=("RDP", "SSH"))
    }


def groups(rows: Estate) -> Iterator[Row]:
    return (row for row in rows if row["type"] == "microsoft.network/networksecuritygroups")


def rules(rows: Estate) -> Iterator[Row]:
    return (held for group in groups(rows) for held in group["properties"]["securityRules"])


def halves(prefix: str) -> list[str]:
    """A prefix as two prefixes of one bit more; what is none, or one address, as it is."""
    try:
        first, last = parse_prefix(prefix)
    except PrefixError:
        return [prefix]
    if first == last:
        return [prefix]
    middle = (first + last + 1) // 2
    length = prefix_length((first, last)) + 1
    return [f"{format_address(first)}/{length}", f"{format_address(middle)}/{length}"]


def split_prefixes(rows: Estate) -> None:
    for held in rules(rows):
        for side in ("sourceAddressPrefix", "destinationAddressPrefix"):
            stated = held["properties"].pop(side, None)
            listed = held["properties"].get(f"{side}es") or ([stated] if stated is not None else [])
            if listed:
                held["properties"][f"{side}es"] = [half for one in listed for half in halves(one)]


def write_in_the_plural(rows: Estate) -> None:
    fields = {
        "sourceAddressPrefix": "sourceAddressPrefixes",
        "destinationAddressPrefix": "destinationAddressPrefixes",
        "sourcePortRange": "sourcePortRanges",
        "destinationPortRange": "destinationPortRanges",
    }
    for held in rules(rows):
        for one, several in fields.items():
            if (stated := held["properties"].pop(one, None)) is not None:
                held["properties"][several] = [stated]


def shuffle_rules(rows: Estate) -> None:
    for group in groups(rows):
        random.Random(7).shuffle(group["properties"]["securityRules"])


def add_rules_behind(rows: Estate) -> None:
    """Behind each rule one that does the opposite for a part of what it has decided already."""
    for group in groups(rows):
        held = group["properties"]["securityRules"]
        spread_out(held)
        for one in list(held):
            properties = one["properties"]
            if properties["sourcePortRange"] != "*":
                continue
            opposite = {"access": "Deny" if properties["access"] == "Allow" else "Allow"}
            behind = copy.deepcopy(properties) | opposite | {"priority": properties["priority"] + 1}
            held.append({"name": f"{one['name']}-behind", "properties": behind})


def spread_out(held: list[Row]) -> None:
    for one in held:
        one["properties"]["priority"] = 3 * one["properties"]["priority"] - 200


def only_spread_out(rows: Estate) -> None:
    for group in groups(rows):
        spread_out(group["properties"]["securityRules"])


def add_strangers(rows: Estate) -> None:
    own = nsg("strange", rule("no", 100, "Deny"))
    far = vnet("strange", "172.31.0.0/16", subnets=[subnet("w", "172.31.2.0/24", nsg="strange")])
    rows += [own, far, nic("strange-nic", "strange", "w", "172.31.2.4"), vm("strange")]


def add_unknown_fields(rows: Estate) -> None:
    for row in rows:
        row["properties"]["somethingNew"] = {"enabled": True, "items": [1, None, "x"]}
        row["fromTomorrow"] = []
    rows.append({"id": "/subscriptions/s/resourceGroups/g/providers/Contoso.Things/things/t", "properties": {}})


UNCHANGING: list[Callable[[Estate], None]] = [
    split_prefixes,
    write_in_the_plural,
    shuffle_rules,
    add_strangers,
    add_unknown_fields,
]


@pytest.mark.parametrize("change", UNCHANGING, ids=lambda change: change.__name__)
def test_nothing_changes(change: Callable[[Estate], None]) -> None:
    for seed in range(500, 525):
        rows = random_estate(seed)
        changed = copy.deepcopy(rows)
        change(changed)
        after = {key: value for key, value in told(changed).items() if not key[0].endswith("/strange")}
        assert after == told(rows), f"seed {seed}"


def test_a_rule_behind_one_that_covers_it_changes_nothing() -> None:
    for seed in range(530, 560):
        rows = random_estate(seed)
        spread, longer = copy.deepcopy(rows), copy.deepcopy(rows)
        only_spread_out(spread)
        add_rules_behind(longer)
        assert told(longer) == told(spread), f"seed {seed}"


def test_numbers_that_keep_their_order_change_nothing_but_the_priority_that_is_told() -> None:
    for seed in range(560, 580):
        rows = random_estate(seed)
        spread = copy.deepcopy(rows)
        only_spread_out(spread)
        assert told(spread, names=False) == told(rows, names=False), f"seed {seed}"


def renamed(value: Any) -> Any:
    """Every name of a resource and of a rule another one, Bastion's own subnet and Azure's own names aside."""
    kept = {"azurebastionsubnet", "gatewaysubnet", "default", "defaultroutetable"}
    if isinstance(value, list):
        return [renamed(item) for item in value]
    if not isinstance(value, dict):
        return value
    changed = {key: renamed(held) for key, held in value.items()}
    for key in ("id", "Id"):
        if isinstance(changed.get(key), str):
            segments = changed[key].split("/")
            places = range(8, len(segments), 2)
            for place in places:
                named = segments[place].lower() not in kept and not segments[place].startswith(("HV_", "Remote"))
                if named and "." not in segments[place] and "effective" not in segments[place - 1].lower():
                    segments[place] = _other(segments[place])
            changed[key] = "/".join(segments)
    return changed


def _other(name: str) -> str:
    return name if name.lower() == "microsoft.network" else f"n{name}x"


def test_names_are_only_names() -> None:
    for seed in range(580, 600):
        rows = random_estate(seed)
        before, after = told(rows, names=False), told(renamed(rows), names=False)
        assert [value[:5] for value in before.values()] == [value[:5] for value in after.values()], f"seed {seed}"


@pytest.mark.parametrize("seed", range(600, 615))
def test_an_allow_in_front_of_everything_makes_no_vm_unreachable(seed: int) -> None:
    rows = random_estate(seed)
    before = told(rows)
    for place, group in enumerate(rows):
        if group["type"] != "microsoft.network/networksecuritygroups":
            continue
        more = copy.deepcopy(rows)
        more[place]["properties"]["securityRules"] += [
            rule("let-in", 99, "Allow"),
            rule("let-out", 99, "Allow", direction="Outbound"),
        ]
        for vm_key, after in told(more).items():
            assert before[vm_key][0] != "Reachable" or after[0] == "Reachable", (vm_key, group["name"])


def test_halves_are_the_whole() -> None:
    for prefix in ("0.0.0.0/0", "10.0.1.0/26", "10.0.0.4/31"):
        assert AddressSet.of(*halves(prefix)) == AddressSet.of(prefix)
        assert len(halves(prefix)) == 2
    assert halves("*") == ["*"]
    assert halves("10.0.0.4") == ["10.0.0.4"]

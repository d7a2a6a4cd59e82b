"""Two rules of one priority: in doubt is what comes of connections that both match, and of no others."""

import pytest

from tests.differential.parts import WEB
from tests.differential.random_estates import BAS, Asked, Question
from tests.differential.test_two_opinions import compare, engine
from tests.support.estates import Row, hub_and_spoke, rule, with_nsg

SSH = Question("SSH", 22)
OPEN, DENIED, SOME = "EffectiveDataUnavailable", "NicNsgDenies", "NsgPartiallyBlocksBastion"
ALLOW = rule("yes", 100, "Allow", source="10.0.1.0/26")
ALL = rule("all", 4000, "Deny")


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([ALLOW, rule("no", 100, "Deny", source="10.9.0.0/16"), ALL], []),
        ([ALLOW, rule("no", 100, "Deny", destination="10.1.9.0/24"), ALL], []),
        ([ALLOW, rule("no", 100, "Deny", protocol="Udp"), ALL], []),
        ([ALLOW, rule("no", 100, "Deny", source="::/0"), ALL], []),
        ([ALLOW, rule("no", 100, "Deny", ports="80"), ALL], []),
        ([rule("no", 100, "Deny", source="10.0.1.0/26"), rule("yes", 100, "Allow", source="10.9.0.0/16")], [DENIED]),
        ([ALLOW, rule("no", 100, "Deny"), ALL], [OPEN]),
        ([rule("no", 100, "Deny"), ALLOW], [OPEN]),
        ([ALLOW, rule("other", 100, "Deny", source="10.9.0.0/16"), rule("no", 100, "Deny")], [OPEN]),
        ([ALLOW, rule("no", 100, "Deny", source="10.0.1.0/27"), ALL], [OPEN]),
        ([rule("no", 100, "Deny"), rule("yes", 100, "Allow", source="10.0.1.0/27")], [SOME, OPEN]),
        ([ALLOW, rule("no", 100, "Deny", source="10.0.1.0/33"), ALL], [OPEN]),
        ([rule("no", 100, "Deny"), rule("too", 100, "Deny")], [DENIED]),
        ([ALLOW, rule("some", 100, "Deny", source_ports="443")], [OPEN]),
    ],
    ids=[
        "other sources",
        "other destination",
        "other protocol",
        "IPv6",
        "other port",
        "Allow of others",
        "both match",
        "both match, Deny listed first",
        "one of three",
        "some sources",
        "some sources, the rest denied",
        "sources in doubt",
        "both deny",
        "some source ports",
    ],
)
def test_rules_of_one_priority(rules: list[Row], expected: list[str]) -> None:
    one = Asked(with_nsg(hub_and_spoke(), "nic", *rules), questions=(SSH,))
    compare(one)
    reasons = engine(one)(WEB, SSH, BAS).reasons
    assert list(dict.fromkeys(reason.code for reason in reasons)) == expected


def test_priorities_that_cannot_be_read_are_not_the_same() -> None:
    rules = rule("no", 100, "Deny"), rule("yes", 100, "Allow", source="10.9.0.0/16")
    for held in rules:
        held["properties"]["priority"] = None
    one = Asked(with_nsg(hub_and_spoke(), "nic", *rules), questions=(SSH,))
    compare(one)
    (reason,) = engine(one)(WEB, SSH, BAS).reasons
    assert reason.code == OPEN
    assert "priority" in reason.message

"""What an administrator's rules leave of what a security group decides."""

from tests.differential.parts import WEB
from tests.differential.random_estates import BAS, Asked, Question
from tests.differential.test_two_opinions import compare, engine
from tests.support.estates import admin_rule, hub_and_spoke, rule, security_admin, with_nsg

SSH = Question("SSH", 22)


def test_the_rule_to_blame_is_one_that_decides_for_what_is_not_always_allowed() -> None:
    rules = rule("A", 100, "Deny", source="10.0.1.0/27"), rule("B", 110, "Deny", source="10.0.1.32/27")
    always = admin_rule("lower", 10, "AlwaysAllow", source="10.0.1.0/27")
    one = Asked([*with_nsg(hub_and_spoke(), "nic", *rules), *security_admin("spoke", always)], questions=(SSH,))
    compare(one)
    (reason,) = engine(one)(WEB, SSH, BAS).reasons
    assert (reason.code, reason.rule, reason.priority) == ("NsgPartiallyBlocksBastion", "B", 110)

"""What an identity lacks in its subscriptions, told by subscription and action, and never guessed."""

from bastion_operator.api.conditions import ConditionStatus
from bastion_operator.planning.identity_access import identity_access

ONE, TWO = "00000000-0000-0000-0000-0000000000A1", "00000000-0000-0000-0000-0000000000b2"
NEEDED = ("N/a/read", "N/a/write")
ROLES = "deploy/azure/role.json"


def scope(subscription: str) -> str:
    return f"/subscriptions/{subscription.lower()}"


def test_every_needed_action_everywhere_is_all_granted() -> None:
    lacking = {scope(ONE): frozenset({"N/other/write"}), scope(TWO): frozenset[str]()}
    state = identity_access([ONE, TWO], NEEDED, lacking, ROLES)
    assert (state.status, state.reason) == (ConditionStatus.TRUE, "AllGranted")


def test_what_is_missing_is_named_with_its_subscription_and_the_role_that_has_it() -> None:
    state = identity_access([ONE, TWO], NEEDED, {scope(ONE): frozenset(NEEDED), scope(TWO): frozenset()}, ROLES)
    assert (state.status, state.reason) == (ConditionStatus.FALSE, "RoleMissing")
    assert f"in {ONE}: N/a/read, N/a/write. Assign it" in state.message
    assert TWO not in state.message
    assert ROLES in state.message


def test_where_azure_does_not_tell_nothing_is_said_to_be_missing() -> None:
    state = identity_access([ONE, TWO], NEEDED, {scope(ONE): frozenset()}, ROLES)
    assert (state.status, state.reason) == (ConditionStatus.UNKNOWN, "RbacNotEvaluated")
    assert f"may do in {TWO}:" in state.message


def test_of_many_a_few_are_named() -> None:
    many = [f"00000000-0000-0000-0000-0000000000{number:02d}" for number in range(10, 30)]
    actions = tuple(f"N/{number:02d}/read" for number in range(30))
    state = identity_access(many, actions, {scope(each): frozenset(actions) for each in many}, ROLES)
    assert "and 20 more; in" in state.message
    assert "and in 15 more" in state.message
    assert len(state.message) < 2000

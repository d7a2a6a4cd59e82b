"""What an identity may do in its subscriptions, against what the operator needs there, as a condition. Pure."""

from collections.abc import Iterable, Mapping

from bastion_operator.api.conditions import Reason
from bastion_operator.planning.conditions import State, false, true, unknown

_SHOWN_SUBSCRIPTIONS = 5
_SHOWN_ACTIONS = 10


def identity_access(
    subscriptions: Iterable[str], needed: Iterable[str], lacking: Mapping[str, frozenset[str]], roles: str
) -> State:
    """Whether the identity has every needed action in each of its subscriptions.

    A role further down than the subscription may grant what is missing here, for a part of it: so this is told beside
    Ready, and never against it.

    :param lacking: what the identity is known to lack, by the scope of the subscription in lower case; of others nothing is
        known
    :param roles: the file of the role that grants them all
    """
    wanted = frozenset(needed)
    scopes = {each: f"/subscriptions/{each.lower()}" for each in sorted(subscriptions)}
    missing = {each: sorted(lacking[scope] & wanted) for each, scope in scopes.items() if lacking.get(scope)}
    missing = {each: actions for each, actions in missing.items() if actions}
    if missing:
        told = "; ".join(
            f"in {each}: {_some(actions)}" for each, actions in list(missing.items())[:_SHOWN_SUBSCRIPTIONS]
        )
        more = f"; and in {len(missing) - _SHOWN_SUBSCRIPTIONS} more" if len(missing) > _SHOWN_SUBSCRIPTIONS else ""
        return false(
            Reason.ROLE_MISSING,
            f"no role of the identity at the subscription grants {told}{more}. Assign it a role with the actions of {roles} "
            "there; what only a role further down grants is had for that part alone",
        )
    unasked = [each for each, scope in scopes.items() if scope not in lacking]
    if unasked:
        return unknown(
            Reason.RBAC_NOT_EVALUATED,
            f"Azure does not tell what the identity may do in {_some(unasked)}: is it a subscription of the tenant, and has the "
            "identity Microsoft.Authorization/permissions/read there?",
        )
    return true(Reason.ALL_GRANTED, f"the identity's roles hold every action of {roles} in each allowed subscription")


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN_ACTIONS} more" if len(names) > _SHOWN_ACTIONS else ""
    return ", ".join(names[:_SHOWN_ACTIONS]) + more

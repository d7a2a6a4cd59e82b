"""Who may connect, as a BastionHost's status shows it: counts and missing roles by principal, and the condition."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from bastion_operator.api.bastion_access import MAX_MISSING, AccessPolicy, MissingRole, PrincipalAccess, PrincipalType
from bastion_operator.api.conditions import Reason
from bastion_operator.network.access import (
    Access,
    AccessEvaluation,
    AccessVerdict,
    Lack,
    Principal,
    with_access,
)
from bastion_operator.network.arm_id import ArmIdError, normalise_id, parse_arm_id
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability.verdict import Verdict
from bastion_operator.planning.conditions import State, false, findings_text, true, unknown

_WORDS = {
    PrincipalType.USER: "user",
    PrincipalType.GROUP: "group",
    PrincipalType.SERVICE_PRINCIPAL: "service principal",
}
_MAX_ACTIONS = 16


def principals_of(access: AccessPolicy) -> tuple[Principal, ...]:
    """Those whom the spec asks about, as the evaluation knows them."""
    return tuple(
        Principal(str(each.object_id), f"{_WORDS[each.type]} {each.name or each.object_id}")
        for each in access.principals
    )


def judge_access(
    inventory: Inventory, access: AccessPolicy | None, verdicts: Sequence[Verdict]
) -> tuple[list[Verdict], tuple[AccessVerdict, ...]]:
    """The verdicts with what is missing among their warnings, and what each principal may do; as they are where nobody asks."""
    if access is None:
        return list(verdicts), ()
    evaluation = AccessEvaluation(inventory, principals_of(access))
    judged = [evaluation.judge(verdict) for verdict in verdicts]
    told = [with_access(*pair) for pair in zip(verdicts, judged, strict=True)]
    return told, tuple(each for one in judged for each in one)


def access_state(judged: Sequence[AccessVerdict]) -> State:
    """The condition AccessGranted, from what every principal may do with every VM."""
    first = {access: [each for each in judged if each.access is access] for access in Access}
    if first[Access.MISSING]:
        vms = len({each.vm.lower() for each in first[Access.MISSING]})
        return false(Reason.ROLE_MISSING, f"for {_vms(vms)} roles are missing; {_words(first[Access.MISSING])}")
    if first[Access.UNKNOWN]:
        vms = len({each.vm.lower() for each in first[Access.UNKNOWN]})
        return unknown(Reason.RBAC_NOT_EVALUATED, f"for {_vms(vms)} it cannot be told; {_words(first[Access.UNKNOWN])}")
    return true(Reason.ALL_GRANTED, "every principal has the roles to connect to every VM that is asked for")


def principal_accesses(access: AccessPolicy, judged: Iterable[AccessVerdict]) -> tuple[PrincipalAccess, ...]:
    """For each principal of the spec, in its order: numbers of VMs, each counted once, and what is missing."""
    by_principal: dict[str, list[AccessVerdict]] = defaultdict(list)
    for each in judged:
        by_principal[each.principal.object_id].append(each)
    found = []
    for asked in access.principals:
        own = by_principal[str(asked.object_id)]
        numbers = Counter(_worst_by_vm(own).values())
        found.append(
            PrincipalAccess(
                object_id=asked.object_id,
                name=asked.name,
                granted=numbers[Access.GRANTED],
                missing=numbers[Access.MISSING],
                unknown=numbers[Access.UNKNOWN],
                missing_roles=_missing_roles(own),
            )
        )
    return tuple(found)


_BADNESS = {access: place for place, access in enumerate(Access)}


def _worst_by_vm(judged: Iterable[AccessVerdict]) -> Mapping[str, Access]:
    """A VM that is asked for by two protocols counts once."""
    worst: dict[str, Access] = {}
    for each in judged:
        vm, access = each.vm.lower(), each.access
        if _BADNESS[access] >= _BADNESS[worst.get(vm, Access.GRANTED)]:
            worst[vm] = access
    return worst


def _missing_roles(judged: Iterable[AccessVerdict]) -> tuple[MissingRole, ...]:
    """What is missing, gathered by role, kind of resource and resource group: there it can be assigned once."""
    lacks: dict[tuple[str, str, str], dict[str, Lack]] = defaultdict(dict)
    vms: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for each in judged:
        for lack in each.lacks:
            if lack.missing:
                key = (lack.need.role, lack.need.kind, _group_of(lack.need.scope).lower())
                lacks[key].setdefault(normalise_id(lack.need.scope), lack)
                vms[key].add(each.vm.lower())
    rows = [
        MissingRole(
            role=key[0],
            scope=next(iter(held.values())).need.scope
            if len(held) == 1
            else _group_of(next(iter(held.values())).need.scope),
            resources=len(held),
            vms=len(vms[key]),
            actions=tuple(dict.fromkeys(action for lack in held.values() for action in lack.missing))[:_MAX_ACTIONS],
        )
        for key, held in lacks.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.vms, row.scope.lower(), row.role))[:MAX_MISSING])


def _group_of(resource_id: str) -> str:
    """The id of the resource group that a resource lies in; its own where it lies in none."""
    try:
        parsed = parse_arm_id(resource_id)
    except ArmIdError:
        return resource_id
    if parsed.resource_group is None:
        return resource_id
    return f"/subscriptions/{parsed.subscription}/resourceGroups/{parsed.resource_group}"


def _words(judged: Iterable[AccessVerdict]) -> str:
    return findings_text(item for each in judged for item in each.findings)


def _vms(number: int) -> str:
    return "1 VM" if number == 1 else f"{number} VMs"

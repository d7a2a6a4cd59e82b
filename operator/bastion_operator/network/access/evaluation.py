"""Who may connect: for each VM and each principal, what is granted, what is missing, and what cannot be told."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bastion_operator.network.access.grants import GrantTable, PrincipalGrants
from bastion_operator.network.access.needs import Need, needs_of, sign_in_machines
from bastion_operator.network.access.role_assignment import subscription_of
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.codes import finding
from bastion_operator.network.finding import Finding
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability.verdict import Verdict

_SHOWN_DOUBTS = 3


class Access(StrEnum):
    """Whether a principal may connect, best first."""

    GRANTED = "Granted"
    UNKNOWN = "Unknown"
    MISSING = "Missing"


@dataclass(frozen=True, slots=True)
class Principal:
    """Whose rights are asked about. ``name`` is what people call it; the object id decides."""

    object_id: str
    name: str | None = None

    @property
    def shown(self) -> str:
        """The name where there is one."""
        return self.name or self.object_id


@dataclass(frozen=True, slots=True)
class Lack:
    """A need that is not known to be met: the actions that nothing grants, or what leaves it open."""

    need: Need
    missing: tuple[str, ...]
    doubts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccessVerdict:
    """What one principal may do with one VM. ``lacks`` is empty where everything is granted."""

    principal: Principal
    vm: str
    lacks: tuple[Lack, ...]

    @property
    def access(self) -> Access:
        """Missing where anything is known to be missing, else Unknown where anything is open."""
        if any(lack.missing for lack in self.lacks):
            return Access.MISSING
        return Access.UNKNOWN if self.lacks else Access.GRANTED

    @property
    def findings(self) -> tuple[Finding, ...]:
        """A warning for each need that is not met or not known to be."""
        return tuple(_finding(self.principal, lack) for lack in self.lacks)


class AccessEvaluation:
    """One inventory's role assignments, asked about many verdicts and some principals."""

    def __init__(self, inventory: Inventory, principals: Iterable[Principal]) -> None:
        self._inventory = inventory
        self._table = GrantTable(inventory)
        self._principals = [(principal, self._table.of(principal.object_id)) for principal in principals]
        self._sign_in = sign_in_machines(inventory)
        self._evaluable: dict[str | None, bool] = {}

    def judge(self, verdict: Verdict) -> tuple[AccessVerdict, ...]:
        """What each principal may do with the verdict's VM by the verdict's Bastion, in the order of the principals."""
        needs = list(needs_of(self._inventory, verdict, self._sign_in))
        return tuple(
            AccessVerdict(principal, verdict.vm, tuple(self._lacks(grants, needs)))
            for principal, grants in self._principals
        )

    def _lacks(self, grants: PrincipalGrants, needs: Sequence[Need]) -> Iterator[Lack]:
        for need in needs:
            subscription = subscription_of(normalise_id(need.scope))
            if not self._can_tell(subscription):
                yield Lack(need, (), (_unread(subscription),))
            elif (lacking := grants.lacking(need.scope, need.options)) is not None:
                yield Lack(need, *lacking)

    def _can_tell(self, subscription: str | None) -> bool:
        if subscription not in self._evaluable:
            self._evaluable[subscription] = self._table.evaluable(subscription)
        return self._evaluable[subscription]


def with_access(verdict: Verdict, judged: Iterable[AccessVerdict]) -> Verdict:
    """The verdict with what is missing in place of the warning that roles were not asked about."""
    found = dict.fromkeys(item for each in judged for item in each.findings)
    kept = (warning for warning in verdict.warnings if warning.code != "RbacNotEvaluated")
    return replace(verdict, warnings=(*kept, *found))


def _unread(subscription: str | None) -> str:
    return (
        f"no role assignment of subscription {subscription} is in the data: they were not read, or their reader lacks "
        "Microsoft.Authorization/roleAssignments/read there"
    )


def _finding(principal: Principal, lack: Lack) -> Finding:
    need = lack.need
    where = f"{need.kind} {need.scope.rstrip('/').rpartition('/')[2]}"
    if lack.missing:
        message = (
            f"{principal.shown} lacks {need.role} on {where} ({', '.join(lack.missing)}): assign it there, or on its "
            "resource group"
        )
        return finding("RoleMissing", message, resource=need.scope)
    shown = "; ".join(lack.doubts[:_SHOWN_DOUBTS])
    more = f"; and {len(lack.doubts) - _SHOWN_DOUBTS} more" if len(lack.doubts) > _SHOWN_DOUBTS else ""
    message = f"whether {principal.shown} has {need.role} on {where} cannot be told: {shown}{more}"
    return finding("RbacNotEvaluated", message, resource=need.scope)

"""What a plan is: changes to make now, things to wait for, findings to publish, claims to write down first.

A plan holds only changes whose preconditions are met in what was observed. What depends on them comes in the plan of
a later pass: the loop is level-based, so there is no graph of steps that a crash could leave half done.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bastion_operator.api.common import Claim
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.finding import Finding
from bastion_operator.planning.wording import named, shown

Body = Mapping[str, Any]
"""A resource as ARM's JSON has it."""

SYNC_REMOTE_ADDRESS_SPACE = "syncRemoteAddressSpace"
UNDER_WAY = "under way"
"""How the state of a Wait ends for a request whose operation is followed."""
_AT_WORK = frozenset({"creating", "updating", "deleting"})
NOT_READ = "not read yet"
"""The state of a Wait for a resource that no source has said anything of."""


class Verb(StrEnum):
    """What a change does."""

    CREATE = "Create"
    UPDATE = "Update"
    SYNC = "Sync"
    DELETE = "Delete"


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that is not as the spec says."""

    field: str
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"{self.field}: {shown(self.before)} → {shown(self.after)}"


@dataclass(frozen=True, slots=True)
class Change:
    """One request to Azure.

    :ivar body: what a PUT sends; None for a deletion
    :ivar if_match: the etag of what the plan was made on; None where there was nothing
    :ivar root_id: the resource to be read again before the change is made: the resource itself, or the virtual
        network that a subnet or peering is part of, the group that a security rule is part of
    :ivar also_read: other resources that the change was judged by and that must be read again as well, such as the
        network at the other end of a peering
    :ivar once: a cure that is tried once: after Azure has worked on it, with whatever end, it is not sent again
    """

    verb: Verb
    resource_id: str
    root_id: str
    reason: str
    body: Body | None = None
    differences: tuple[Difference, ...] = ()
    if_match: str | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    also_read: tuple[str, ...] = ()
    once: bool = False

    @property
    def reads(self) -> tuple[str, ...]:
        """Every resource to be read again before the change is made."""
        return (self.root_id, *self.also_read)

    def __str__(self) -> str:
        return self._told(self.resource_id)

    @property
    def summary(self) -> str:
        """The change as conditions tell it: the resource by its name."""
        return self._told(named(self.resource_id))

    def _told(self, resource: str) -> str:
        detail = f" ({'; '.join(map(str, self.differences))})" if self.differences else ""
        return f"{self.verb} {resource}: {self.reason}{detail}"


@dataclass(frozen=True, slots=True)
class Wait:
    """A resource that Azure is still working on, or that must be read before anything can be decided.

    :ivar about: what is to be known of it beside its state, as conditions tell it
    """

    resource_id: str
    root_id: str
    state: str
    about: str = ""

    @property
    def at_work(self) -> bool:
        """Whether Azure works on it; what somebody else still uses, or what was not read, is not at work."""
        return self.state.lower() in _AT_WORK or self.state.endswith(UNDER_WAY)

    @property
    def summary(self) -> str:
        """What is waited for, as conditions tell it."""
        told = f"{named(self.resource_id)} is {self.state}"
        return f"{told}: {self.about}" if self.about else told


@dataclass(frozen=True, slots=True)
class Plan:
    """What one pass would do.

    :ivar claims: every claim that the custom resource holds once the plan is carried out, to be written down before
        the first change
    :ivar obstacles: what keeps the plan from going on, for a person or for Azure to mend
    :ivar remains: on deletion, what is left in Azure on purpose, with the reason
    :ivar held: what changes wait for that could be made now, as conditions tell it
    :ivar told: what is to be known of security rules, or of networks that left a selector, and keeps nothing from going
        on
    :ivar audited: changes of security rules that are told and not made, because the spec asks for no more
    :ivar going: ids of what is to be deleted for good, at once or as soon as Azure is at rest
    :ivar guarded: ids of what is not deleted before a person allows it, because it is too much at once
    """

    changes: tuple[Change, ...] = ()
    waits: tuple[Wait, ...] = ()
    obstacles: tuple[Finding, ...] = ()
    claims: tuple[Claim, ...] = ()
    remains: tuple[Finding, ...] = ()
    held: str | None = None
    told: tuple[Finding, ...] = ()
    audited: tuple[Change, ...] = ()
    going: tuple[str, ...] = ()
    guarded: tuple[str, ...] = ()

    @property
    def settled(self) -> bool:
        """Nothing to change and nothing to wait for."""
        return not self.changes and not self.waits


def root_of(resource_id: str) -> str:
    """The resource whose body holds this one: itself, or for a subnet or peering the virtual network, for a security rule its
    group, for a diagnostic setting the collection that it is listed in.
    """
    match = _CHILD.match(resource_id)
    return match.group(1) if match else resource_id


_CHILD = re.compile(
    r"(.+/(?:virtualNetworks|networkSecurityGroups)/[^/]+|.+/Microsoft\.Insights/diagnosticSettings)/.+", re.IGNORECASE
)


class Observed:
    """Resources by id, in any case. What was looked for and is not there is the same as what no source has.

    ``source`` answers, by normalised id, for everything that is not among ``resources``: an inventory of many thousand
    rows is looked up, not copied.
    """

    def __init__(
        self, resources: Mapping[str, Body | None], *, source: Callable[[str], Body | None] | None = None
    ) -> None:
        self._resources = {normalise_id(resource_id): body for resource_id, body in resources.items()}
        self._source = source

    def get(self, resource_id: str) -> Body | None:
        """The resource, or None."""
        key = normalise_id(resource_id)
        if key in self._resources or self._source is None:
            return self._resources.get(key)
        return self._source(key)

    def looked_at(self, resource_id: str) -> bool:
        """Whether it is among what was read for this plan, there or not."""
        return normalise_id(resource_id) in self._resources

    def updated(self, fresh: Mapping[str, Body | None]) -> "Observed":
        """A copy, with what was read afresh in place of what was known."""
        return Observed({**self._resources, **fresh}, source=self._source)

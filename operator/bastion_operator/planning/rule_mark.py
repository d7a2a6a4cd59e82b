"""Whose a security rule is: a name that nobody else would choose, and a mark at the start of its description.

Both are made of installation, custom resource and Bastion, so that two Bastions on one group, or two custom resources, never
write to each other's rules. Azure takes 140 characters of description: the mark is a hash, and what is for people follows it.
Source: the REST reference of "Security Rules - Create Or Update" for the length.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bastion_operator.api.common import Claim
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.planning.body import properties
from bastion_operator.planning.ownership import Owner, claim_on

SUBNET_RULE: Final = "SubnetRule"
TARGET_RULE: Final = "TargetRule"
RULE_PURPOSES: Final = frozenset({SUBNET_RULE, TARGET_RULE})
_PREFIX: Final = "azurebastion"
_HASH_LENGTH: Final = 16
_DESCRIPTION_LENGTH: Final = 140
_FORM: Final = re.compile(rf"{_PREFIX}-[0-9a-f]{{{_HASH_LENGTH}}}-(?P<rest>.+)", re.IGNORECASE)
_TARGET_FORM: Final = re.compile(r"tcp-\d+(-\d+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RuleMark:
    """The mark of the rules that one custom resource keeps for one Bastion."""

    owner: Owner
    host_id: str

    @property
    def digest(self) -> str:
        """What tells these rules from all others."""
        owner = self.owner
        content = "\n".join((owner.installation_id, f"{owner.namespace}/{owner.name}", normalise_id(self.host_id)))
        return hashlib.sha256(content.encode()).hexdigest()[:_HASH_LENGTH]

    def name(self, purpose: str) -> str:
        """The name of the rule for a purpose: the same at every time."""
        return f"{_PREFIX}-{self.digest}-{purpose}"

    def names(self, rule_name: str) -> bool:
        """Whether a rule has a name of these."""
        return rule_name.lower().startswith(f"{_PREFIX}-{self.digest}-")

    def description(self, why: str) -> str:
        """Who made the rule and why, as far as there is room."""
        owner = self.owner
        told = f"{self._start}{why}. By {owner.namespace}/{owner.name} of {owner.installation_id}"
        return told[:_DESCRIPTION_LENGTH]

    def marks(self, rule: Mapping[str, Any]) -> bool:
        """Whether a rule's body carries the mark."""
        return str(properties(rule).get("description") or "").startswith(self._start)

    def owns(self, rule: Mapping[str, Any], rule_id: str, claims: Iterable[Claim]) -> bool:
        """Whether the rule is to be kept as wanted: it has the name, and the mark or a claim."""
        return self.names(str(rule.get("name", ""))) and (self.marks(rule) or claim_on(claims, rule_id) is not None)

    def may_delete(self, rule: Mapping[str, Any], rule_id: str, claims: Iterable[Claim]) -> bool:
        """Whether the rule is certain to be the operator's: it has the name, the mark and a claim."""
        return self.names(str(rule.get("name", ""))) and self.marks(rule) and claim_on(claims, rule_id) is not None

    @property
    def _start(self) -> str:
        return f"{_PREFIX} {self.digest}: "


def is_target_rule(name: str) -> bool:
    """Whether a rule is one that the operator, of any installation, wrote to let a Bastion into VMs."""
    # Asked of every rule of an estate, of which hardly any begins so.
    form = _FORM.fullmatch(name) if name[: len(_PREFIX)].lower() == _PREFIX else None
    return form is not None and _TARGET_FORM.fullmatch(form["rest"]) is not None

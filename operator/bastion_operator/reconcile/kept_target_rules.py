"""The rules that targets need, kept as long as neither the inventory nor the question is another."""

from dataclasses import dataclass, field

from bastion_operator.api.bastion_host import BastionHostSpec
from bastion_operator.network.inventory import Inventory
from bastion_operator.planning.rule_mark import RuleMark
from bastion_operator.planning.target_rules import TargetRules, find_target_rules
from bastion_operator.reconcile.kept_verdicts import KeptVerdicts
from bastion_operator.reconcile.keys import Key


@dataclass(frozen=True, slots=True)
class _Kept:
    inventory: Inventory
    spec: BastionHostSpec
    mark: RuleMark
    rules: TargetRules | None


@dataclass(slots=True)
class KeptTargetRules:
    """By the BastionHost's key. Passes of different keys may ask side by side, in threads; two of one key do not occur."""

    _kept: dict[Key, _Kept] = field(default_factory=dict)

    def find(
        self, key: Key, inventory: Inventory, spec: BastionHostSpec, mark: RuleMark, verdicts: KeptVerdicts
    ) -> TargetRules | None:
        """What ``find_target_rules`` says."""
        known = self._kept.get(key)
        if known is not None and known.inventory is inventory and (known.spec, known.mark) == (spec, mark):
            return known.rules
        rules = find_target_rules(inventory, spec, mark, verdicts.judge(key, inventory, spec, mark.host_id))
        self._kept[key] = _Kept(inventory, spec, mark, rules)
        return rules

    def forget(self, key: Key) -> None:
        """The BastionHost is gone."""
        self._kept.pop(key, None)

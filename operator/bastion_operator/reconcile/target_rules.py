"""What the targets of one BastionHost need of security rules, worked out off the event loop."""

import asyncio

from bastion_operator.api.bastion_host import SecurityPolicy
from bastion_operator.planning.bastion_host import BastionHostInput
from bastion_operator.planning.hidden import subscription_of
from bastion_operator.planning.rule_mark import RuleMark
from bastion_operator.planning.target_rules import TargetRules
from bastion_operator.reconcile.keys import Key
from bastion_operator.reconcile.services import Services
from bastion_operator.reconcile.sessions import Session


async def look_for_target_rules(
    services: Services, key: Key, session: Session, asked: BastionHostInput
) -> TargetRules | None:
    """The rules that are needed; None where nobody asks for them, or where the host cannot be seen."""
    if asked.spec.network_security.targets is SecurityPolicy.OFF:
        # Those of before would keep the inventory that they were found in.
        services.target_rules.forget(key)
        return None
    if subscription_of(asked.ids.host) in services.fleet.unreadable(session.identity):
        return None
    inventory = await services.fleet.inventory(session.identity)
    if inventory is None:
        return None
    mark = RuleMark(asked.owner, asked.ids.host)
    return await asyncio.to_thread(services.target_rules.find, key, inventory, asked.spec, mark, services.verdicts)

"""Fixes of facts that are missing: what to read, or what makes it not matter."""

from collections.abc import Iterator
from typing import Final

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.finding import Action, Actor, Change, Finding, Fix
from bastion_operator.network.fixes.flows import by_default, open_group
from bastion_operator.network.fixes.hosts import add_row, keep_to_internet, take_table_off
from bastion_operator.network.fixes.situation import Situation
from bastion_operator.network.fixes.topology import peer
from bastion_operator.network.resource_types import HUB_CONNECTIONS, LOCAL_GATEWAYS, ROUTE_TABLES


def find_out(situation: Situation, reason: Finding) -> Iterator[Fix]:
    """The resource read; where it was read and leaves the answer open, what makes it certain."""
    if reason.resource is None:
        return
    row = situation.inventory.row(reason.resource)
    if situation.inventory.security_group(reason.resource) is not None and situation.question is not None:
        yield from add_row(situation, reason)
        yield from open_group(situation, reason)
    if row is not None:
        yield from _open_groups(situation, reason)
    if row is not None and _apart(situation):
        yield from peer(situation, reason)
    host = situation.host
    table = host.subnet.route_table_id if host is not None and host.subnet is not None else None
    if row is not None and table is not None and normalise_id(table) == normalise_id(reason.resource):
        yield from take_table_off(situation, reason)
    if row is not None and host is not None and host.bastion.private_only:
        yield from keep_to_internet(situation, reason)
    change = Change(Action.READ, reason.resource, "", None, None, Actor.USER)
    again = "and add it to the data" if row is None else "again: what the data has of it leaves this open"
    yield Fix(f"read {reason.resource} {again}", (change,))


_OF_DEFAULT_ROUTES: Final = (ROUTE_TABLES, LOCAL_GATEWAYS, HUB_CONNECTIONS)


def _open_groups(situation: Situation, reason: Finding) -> Iterator[Fix]:
    """Rules in the groups on the way, where a default route leaves open what the tag VirtualNetwork holds there."""
    question, inventory, key = situation.question, situation.inventory, normalise_id(reason.resource or "")
    if question is None or not any(key in inventory.rows(kind) for kind in _OF_DEFAULT_ROUTES):
        return
    near, target = question.host.subnet, question.target
    holders = (near, target.subnet, target.interface)
    groups = (holder.network_security_group_id for holder in holders if holder is not None)
    for group_id in dict.fromkeys(groups):
        if group_id is not None:
            yield from open_group(situation, by_default(reason, group_id))


def _apart(situation: Situation) -> bool:
    """Whether no link leads from the Bastion's VNet to the VM's, nor back."""
    question = situation.question
    if question is None or question.host.network is None or question.target.network is None:
        return False
    pair = question.path.pair
    return question.host.network.key != question.target.network.key and (pair is None or not pair.links)


def grant_reader(_: Situation, reason: Finding) -> Iterator[Fix]:
    """Reader on the resource that Azure refused to show, and the resource read again."""
    if reason.resource is None:
        return
    read = Change(Action.READ, reason.resource, "", None, None, Actor.ADMINISTRATOR)
    yield Fix(f"grant Reader on {reason.resource} and read it again", (read,))


def name_prefixes(situation: Situation, reason: Finding) -> Iterator[Fix]:
    """A rule in front of the one whose tag nobody knows: on AzureBastionSubnet Azure's own row, else for the port asked for."""
    yield from add_row(situation, reason)
    yield from open_group(situation, reason)

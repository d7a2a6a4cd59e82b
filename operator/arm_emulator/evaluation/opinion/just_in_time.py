"""Whether just-in-time access keeps a machine's port closed: its policies, or the rules that it left in the groups.

https://learn.microsoft.com/azure/defender-for-cloud/just-in-time-access-overview
"""

from collections.abc import Iterable

from arm_emulator.errors import Json
from arm_emulator.evaluation.opinion.addresses import LAST, Span, is_ipv6, span, within
from arm_emulator.evaluation.opinion.facts import Facts, attached, key
from arm_emulator.evaluation.opinion.host import Host
from arm_emulator.evaluation.opinion.machine import Machine
from arm_emulator.evaluation.opinion.rules import OTHER_PROTOCOLS
from arm_emulator.evaluation.rows import parts
from arm_emulator.evaluation.security_rules import Rule, port_range, rules_of

POLICIES = "Microsoft.Security/locations/jitNetworkAccessPolicies"


def kept_closed(facts: Facts, near: Host, target: Machine, port: int) -> bool:
    """Whether just-in-time access keeps the port closed to some address of Bastion."""
    own = key(str(target.row["id"]))
    covering = [policy for policy in facts.of_type(POLICIES) if _covers(policy, own, port)]
    if covering:
        return not any(_grants(policy, own, port, near) for policy in covering)
    groups = [attached(one, "networkSecurityGroup") for one in (target.subnet, target.interface)]
    for group in filter(None, map(facts.find, groups)):
        about = [
            rule
            for rule in rules_of(group)
            if rule.direction == "Inbound" and "jitrule" in rule.name.lower() and _concerns(rule, port)
        ]
        for_machine = [rule for rule in about if _is_for(rule, target) is not False]
        if for_machine and not any(_opens(rule, near, target) for rule in for_machine):
            return True
    return False


def _covers(policy: Json, own: str, port: int) -> bool:
    listed = _ports(parts(policy, "virtualMachines"), own)
    return listed is not None and (not listed or port in {one.get("number") for one in listed})


def _grants(policy: Json, own: str, port: int, near: Host) -> bool:
    asked = [
        one for request in parts(policy, "requests") for one in _ports(request.get("virtualMachines") or [], own) or []
    ]
    return any(
        str(one.get("status")).lower() == "initiated"
        and one.get("number") == port
        and _holds_all(
            near, map(str, [one.get("allowedSourceAddressPrefix"), *(one.get("allowedSourceAddressPrefixes") or [])])
        )
        for one in asked
    )


def _opens(rule: Rule, near: Host, target: Machine) -> bool:
    """Whether a rule lets all of Bastion in, for certain."""
    certain = rule.access == "Allow" and "access" not in rule.unread
    return certain and _is_for(rule, target) is True and _holds_all(near, rule.sources)


def _is_for(rule: Rule, target: Machine) -> bool | None:
    """Whether a rule names the machine; None where it may: by a tag, or because of what cannot be read or is not known."""
    entries = rule.destinations
    held: list[Span] = [(0, LAST)] * ("*" in entries) + [one for entry in entries if (one := span(entry))]
    if (0, LAST) in held or target.groups & set(rule.destination_groups):
        return True
    if not target.addresses:
        return None
    met = {within(one, held) for one in (*target.addresses, *target.anywhere)}
    if met == {True}:
        return True
    odd = any(span(entry) is None and not is_ipv6(entry) for entry in entries)
    return None if True in met or odd else False


def _concerns(rule: Rule, port: int) -> bool:
    if rule.protocol.lower() in OTHER_PROTOCOLS:
        return False
    return any(low <= port <= high for low, high in map(port_range, rule.destination_ports))


def _ports(machines: list[Json], own: str) -> list[Json] | None:
    """The ports that are listed for a machine; None where it is not listed."""
    found = [one.get("ports") or [] for one in machines if key(str(one.get("id"))) == own]
    return [port for ports in found for port in ports] if found else None


def _holds_all(near: Host, entries: Iterable[str]) -> bool:
    held: list[Span] = [(0, LAST) if entry == "*" else one for entry in entries if entry == "*" or (one := span(entry))]  # type: ignore[misc]
    return all(within(source, held) for source in near.sources)

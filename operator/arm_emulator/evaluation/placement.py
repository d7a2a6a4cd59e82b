"""Where an interface stands: its subnet and network, and the security groups and admin rules around it."""

from dataclasses import dataclass

from arm_emulator.errors import Json
from arm_emulator.evaluation import admin_rules
from arm_emulator.evaluation.rows import Rows, field, network_of, parts, primary_configuration, referred
from arm_emulator.evaluation.security_rules import Rule, readable_rules_of
from arm_emulator.evaluation.tags import Side, side_of


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules with the id of the group or network manager they come from, and the id and kind of what they are applied to."""

    owner: str
    applied_to: str
    kind: str
    rules: tuple[Rule, ...]

    def towards(self, direction: str) -> list[Rule]:
        """The rules of one direction, by priority."""
        return [rule for rule in self.rules if rule.direction == direction]


@dataclass(frozen=True, slots=True)
class Placement:
    """An interface's surroundings; `groups` are the application security groups of its primary configuration."""

    interface: Json
    subnet: str
    network: str
    address: str | None
    groups: frozenset[str]
    side: Side
    admin: RuleSet | None
    on_subnet: RuleSet | None
    on_interface: RuleSet | None

    def inbound(self) -> list[RuleSet]:
        """Rule sets in the order in which traffic to the interface meets them."""
        return [one for one in (self.admin, self.on_subnet, self.on_interface) if one is not None]

    def outbound(self) -> list[RuleSet]:
        """Rule sets in the order in which traffic from the interface meets them."""
        return [one for one in (self.admin, self.on_interface, self.on_subnet) if one is not None]

    def met_by(self, direction: str) -> list[RuleSet]:
        """Those of one direction."""
        return self.inbound() if direction == "Inbound" else self.outbound()


def placement(rows: Rows, interface: Json) -> Placement:
    """The surroundings of an interface's primary configuration. Raises LookupError where it has none in a subnet."""
    configuration = primary_configuration(interface) or {}
    subnet_id = referred(configuration, "subnet")
    if subnet_id is None:
        raise LookupError(f"{interface['id']} has no IPv4 configuration in a subnet")
    network = network_of(subnet_id)
    address = field(configuration, "privateIPAddress")
    return Placement(
        interface=interface,
        subnet=subnet_id,
        network=network,
        address=None if address is None else str(address),
        groups=frozenset(str(group["id"]).lower() for group in parts(configuration, "applicationSecurityGroups")),
        side=side_of(rows, subnet_id),
        admin=_admin(rows, network),
        on_subnet=_group(rows, rows.find(subnet_id) or {}, subnet_id, "subnet"),
        on_interface=_group(rows, interface, str(interface["id"]), "networkInterface"),
    )


def _admin(rows: Rows, network: str) -> RuleSet | None:
    rules = admin_rules.in_force(rows, network)
    if not rules:
        return None
    manager = rules[0].resource[: rules[0].resource.lower().index("/securityadminconfigurations/")]
    return RuleSet(manager, network, "networkManager", tuple(rules))


def _group(rows: Rows, owner: Json, owner_id: str, kind: str) -> RuleSet | None:
    group = rows.find(referred(owner, "networkSecurityGroup"))
    return None if group is None else RuleSet(str(group["id"]), owner_id, kind, tuple(readable_rules_of(group)))


def members_of(rows: Rows, group: str) -> list[str]:
    """The addresses of an application security group's members, as /32 prefixes."""
    return [
        f"{field(configuration, 'privateIPAddress')}/32"
        for interface in rows.of_type("Microsoft.Network/networkInterfaces")
        for configuration in parts(interface, "ipConfigurations")
        if any(str(one["id"]).lower() == group for one in parts(configuration, "applicationSecurityGroups"))
    ]

"""Microsoft.Network/networkSecurityGroups and their securityRules.

Rules: https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview
"""

from functools import cache

from arm_emulator.cloud import Cloud, id_of, items
from arm_emulator.errors import ArmError, Json, bad_request, invalid_reference
from arm_emulator.guids import new_guid
from arm_emulator.operations import Timing
from arm_emulator.resource_types import bastion_rules, rule_addresses
from arm_emulator.resource_types.base import Put, ResourceType, Superseding
from arm_emulator.resource_types.bodies import default, missing
from arm_emulator.store import Reference, Resource

GROUPS = "Microsoft.Network/networkSecurityGroups"
RULES = bastion_rules.RULES
LOWEST_PRIORITY, HIGHEST_PRIORITY = 100, 4096
MOST_RULES = 1000
MOST_ADDRESSES = 4000
ASGS = "microsoft.network/applicationsecuritygroups"
GROUP_FIELDS = ("sourceApplicationSecurityGroups", "destinationApplicationSecurityGroups")
PROTOCOLS = ("Tcp", "Udp", "Icmp", "Esp", "Ah", "*")
FIELDS = ("sourcePortRange", "destinationPortRange", "sourceAddressPrefix", "destinationAddressPrefix")

_DEFAULTS = (
    ("AllowVnetInBound", "Allow inbound traffic from all VMs in VNET", "VirtualNetwork", "VirtualNetwork", "Allow", 65000, "Inbound"),
    ("AllowAzureLoadBalancerInBound", "Allow inbound traffic from azure load balancer", "AzureLoadBalancer", "*", "Allow", 65001, "Inbound"),
    ("DenyAllInBound", "Deny all inbound traffic", "*", "*", "Deny", 65500, "Inbound"),
    ("AllowVnetOutBound", "Allow outbound traffic from all VMs to all VMs in VNET", "VirtualNetwork", "VirtualNetwork", "Allow", 65000, "Outbound"),
    ("AllowInternetOutBound", "Allow outbound traffic from all VMs to Internet", "*", "Internet", "Allow", 65001, "Outbound"),
    ("DenyAllOutBound", "Deny all outbound traffic", "*", "*", "Deny", 65500, "Outbound"),
)  # fmt: skip


class NetworkSecurityGroups(ResourceType):
    """Six default rules come with it; a PUT replaces all rules, and one that changes nothing ends at once."""

    name = GROUPS
    superseding = Superseding.FAMILY
    nested = {"securityRules": RULES}  # noqa: RUF012  (declared ClassVar by the base)
    parts = {"defaultsecurityrules": "defaultSecurityRules"}  # noqa: RUF012  (declared ClassVar by the base)
    order = (
        "provisioningState", "resourceGuid", "securityRules", "defaultSecurityRules", "networkInterfaces", "subnets",
    )  # fmt: skip
    create = Timing(2, (1,))
    delete = Timing(2, (1,))
    silent_when_unchanged = True
    read_only = frozenset({"provisioningState", "resourceGuid", "defaultSecurityRules", "networkInterfaces", "subnets",
                           "flowLogs"})  # fmt: skip

    def prepare(self, put: Put) -> None:
        put.properties["resourceGuid"] = put.before.get("resourceGuid") or new_guid()

    def check_children(self, put: Put, child_type: str, children: list[Json]) -> None:
        if len(children) > MOST_RULES:
            raise bad_request(
                "NetworkSecurityGroupMaxRulesExceeded",
                f"Network security group {put.id} cannot have more than {MOST_RULES} rules.",
            )
        taken: dict[tuple[str, int], str] = {}
        for child in children:
            if "priority" not in child["properties"]:
                continue  # a row of an estate file may say less than Azure would
            slot = (str(child["properties"].get("direction")).lower(), child["properties"]["priority"])
            other = taken.setdefault(slot, child["name"])
            if other != child["name"]:
                raise bad_request(
                    "SecurityRuleConflict",
                    f"Security rule {child['name']} conflicts with rule {other}. Rules cannot have the same Priority and "
                    "Direction. To learn more, see aka.ms/nsgrules.",
                )
        if put.old is not None:
            bastion_rules.check_used_group(put.cloud, put.old, [child["properties"] for child in children])

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        users = cloud.store.referrers(item.key, "networkSecurityGroup")
        if users:
            raise bad_request(
                "InUseNetworkSecurityGroupCannotBeDeleted",
                f"Network security group {item.id} cannot be deleted because it is in use by the following resources: "
                f"{', '.join(user.element for user in users)}. In order to delete the Network security group, remove the "
                "association with the resource(s). To learn how to do this, see aka.ms/deletensg.",
            )

    def computed(self, cloud: Cloud, item: Resource) -> Json:
        users = cloud.store.referrers(item.key, "networkSecurityGroup")
        etag = cloud.etag(item)
        computed: Json = {"defaultSecurityRules": default_rules(str(item.id), etag, item.state)}
        for name, segment in (("subnets", "/subnets/"), ("networkInterfaces", "/networkInterfaces/")):
            ids = [{"id": user.element} for user in users if segment.lower() in user.source]
            if ids:
                computed[name] = ids
        return computed


class SecurityRules(ResourceType):
    """Written alone or with its group; of each field the one form that was used is answered, and the plural as a list."""

    name = RULES
    tracked = False
    envelope = frozenset({"properties"})
    order = (
        "provisioningState", "description", "protocol", "sourcePortRange", "destinationPortRange",
        "sourceAddressPrefix", "destinationAddressPrefix", "access", "priority", "direction", "sourcePortRanges",
        "destinationPortRanges", "sourceAddressPrefixes", "destinationAddressPrefixes",
    )  # fmt: skip
    create = Timing(2, (1,))
    delete = Timing(2, (10,))
    silent_when_unchanged = True

    def prepare(self, put: Put) -> None:
        properties = put.properties
        for name in ("direction", "access", "protocol", "priority"):
            if properties.get(name) is None:
                raise missing(name, put.id)
        properties["protocol"] = self._one_of(put, "protocol", PROTOCOLS)
        properties["direction"] = self._one_of(put, "direction", ("Inbound", "Outbound"))
        properties["access"] = self._one_of(put, "access", ("Allow", "Deny"))
        priority = properties["priority"]
        if not isinstance(priority, int) or not LOWEST_PRIORITY <= priority <= HIGHEST_PRIORITY:
            raise bad_request(
                "SecurityRuleInvalidPriority",
                f"Security rule has invalid Priority. Value provided: {priority}. Allowed range: "
                f"{LOWEST_PRIORITY}-{HIGHEST_PRIORITY}. Resource: {put.id}.",
            )
        for field in FIELDS:
            self._one_form(put, field)
        for name in GROUP_FIELDS:
            _check_groups(put, name)

    def references(self, item: Resource) -> list[Reference]:
        return [
            Reference("applicationSecurityGroup", target, str(item.id))
            for side in GROUP_FIELDS
            for entry in items(item.properties, side)
            if (target := id_of(entry)) is not None
        ]

    def _one_of(self, put: Put, name: str, choices: tuple[str, ...]) -> str:
        given = str(put.properties[name])
        for choice in choices:
            if choice.lower() == given.lower():
                return choice
        raise self._invalid(put, name, given)

    def _one_form(self, put: Put, field: str) -> None:
        """Azure answers the form that was used, and the plural as an empty list where the singular was."""
        plural = field + ("es" if field.endswith("Prefix") else "s")
        groups = field.replace("AddressPrefix", "ApplicationSecurityGroups")
        properties = put.properties
        several = properties.get(plural) or []
        one = properties.get(field)
        has_groups = field.endswith("Prefix") and bool(properties.get(groups))
        if one in (None, "") and not several and not has_groups:
            raise missing(f"{field} or {plural}", put.id)
        if one not in (None, "") and several:
            raise self._invalid(put, plural, ", ".join(map(str, several)))
        if len(several) > MOST_ADDRESSES:
            raise bad_request(
                "SecurityRuleTooManyAddressPrefixes" if field.endswith("Prefix") else "SecurityRuleTooManyPortRanges",
                f"Security rule {put.id} has {len(several)} {plural}; at most {MOST_ADDRESSES} are allowed.",
            )
        properties[plural] = several
        if one in (None, ""):
            properties.pop(field, None)
        if "PortRange" in field and not all(_port_range(str(text)) for text in bastion_rules.both(properties, field)):
            raise self._invalid(put, field, str(one or several))
        if "AddressPrefix" in field:
            rule_addresses.check(put, field)
        default(properties, **{plural: []})

    def _invalid(self, put: Put, name: str, value: str) -> ArmError:
        title = name[0].upper() + name[1:]
        return bad_request(
            f"SecurityRuleInvalid{title}",
            f"Security rule parameter {title} for rule with Id {put.id} cannot be specified as {value}.",
        )


def _check_groups(put: Put, name: str) -> None:
    """The application security groups of one side exist, and lie in the rule's region."""
    for group in put.properties.get(name) or []:
        if id_of(group) is None:
            raise missing(f"{name}.id", put.id)
        standing = put.cloud.find(id_of(group))
        if standing is None or standing.id.type.lower() != ASGS:
            raise invalid_reference(str(id_of(group)), str(put.id))


def _port_range(text: str) -> bool:
    return text == "*" or bastion_rules.port_range(text) is not None


def default_rules(group: str, etag: str, state: str) -> list[Json]:
    """The six rules that every group has; recorded: they come to rest with their group."""
    return [
        {
            "name": name,
            "id": f"{group}/defaultSecurityRules/{name}",
            "etag": etag,
            "type": f"{GROUPS}/defaultSecurityRules",
            "properties": properties,
        }
        for name, properties in _properties_of_defaults(state).items()
    ]


# Several answers and rows come of each write, and nobody changes what is answered: all groups share these.
@cache
def _properties_of_defaults(state: str) -> dict[str, Json]:
    return {
        name: {
            "provisioningState": state,
            "description": description,
            "protocol": "*",
            "sourcePortRange": "*",
            "destinationPortRange": "*",
            "sourceAddressPrefix": source,
            "destinationAddressPrefix": destination,
            "access": access,
            "priority": priority,
            "direction": direction,
            "sourcePortRanges": [],
            "destinationPortRanges": [],
            "sourceAddressPrefixes": [],
            "destinationAddressPrefixes": [],
        }
        for name, description, source, destination, access, priority, direction in _DEFAULTS
    }

"""Microsoft.Network/bastionHosts: SKUs, what each of them takes, and what cannot change once it stands.

Rules: https://learn.microsoft.com/azure/bastion/configuration-settings and https://learn.microsoft.com/azure/bastion/bastion-sku-comparison
"""

from arm_emulator.cloud import Cloud, id_of, items, parsed
from arm_emulator.errors import Json, bad_request, invalid_reference
from arm_emulator.guids import new_guid
from arm_emulator.operations import Operation, Timing
from arm_emulator.resource_types import bastion_rules
from arm_emulator.resource_types.address_use import configured
from arm_emulator.resource_types.base import Link, Put, ResourceType
from arm_emulator.resource_types.bodies import answered_parts, default, element_ids, in_order, keep, missing, sku_of
from arm_emulator.resource_types.public_ip_addresses import is_ipv4, refuse_other_user
from arm_emulator.store import Reference, Resource

BASTION_HOSTS = "Microsoft.Network/bastionHosts"
SEGMENT = "bastionHostIpConfigurations"
RANK = {"Developer": 0, "Basic": 1, "Standard": 2, "Premium": 3}
SMALLEST_RANK = {
    "enableTunneling": 2,
    "enableFileCopy": 2,
    "enableIpConnect": 2,
    "enableShareableLink": 2,
    "disableCopyPaste": 2,
    "enableKerberos": 1,
    "enableSessionRecording": 3,
    "enablePrivateOnlyBastion": 3,
}
"""Features, and the rank of the smallest SKU that has each."""
_SUBNET_KEY = bastion_rules.SUBNET_NAME.lower()
_PART_ORDER = ("privateIPAllocationMethod", "publicIPAddress", "subnet")
MIN_SCALE, MAX_SCALE = 2, 50
POLLS = (10, 10, 20, 20, 40, 40, 80, 160, 100)


class BastionHosts(ResourceType):
    """Eight minutes in the making; `dnsName` comes with success, and a change of SKU goes upwards only."""

    name = BASTION_HOSTS
    envelope = frozenset({"location", "tags", "properties", "sku", "zones", "identity"})
    order = (
        "provisioningState", "dnsName", "scaleUnits", "enableTunneling", "enableIpConnect", "enableFileCopy",
        "disableCopyPaste", "enableShareableLink", "enableKerberos", "enableSessionRecording",
        "enablePrivateOnlyBastion", "virtualNetwork", "ipConfigurations",
    )  # fmt: skip
    create = Timing(480, POLLS)
    update = Timing(600, POLLS)
    delete = Timing(420, POLLS)
    read_only = frozenset({"provisioningState", "dnsName", "resourceGuid"})
    patchable = frozenset({"tags", "identity"})

    def prepare(self, put: Put) -> None:
        sku = put.body.get("sku") or {}
        put.body["sku"] = {"name": self._sku_name(sku.get("name") or "Basic", put)}
        rank = RANK[put.body["sku"]["name"]]
        default(put.properties, scaleUnits=2)
        if put.before:
            keep(put, "dnsName")
        self._check_features(put, rank)
        if rank == RANK["Developer"]:
            self._check_developer(put)
        else:
            self._check_configuration(put)
        if put.old is not None:
            self._refuse_change(put, put.old, rank)

    def links(self, put: Put) -> list[Link]:
        network = id_of(put.properties.get("virtualNetwork"))
        found = [Link("Microsoft.Network/virtualNetworks/join/action", network)] if network else []
        for part in configured(put.properties):
            subnet, address = id_of(part.get("subnet")), id_of(part.get("publicIPAddress"))
            found += [Link("Microsoft.Network/virtualNetworks/subnets/join/action", subnet)] if subnet else []
            found += [Link("Microsoft.Network/publicIPAddresses/join/action", address)] if address else []
        return found

    def references(self, item: Resource) -> list[Reference]:
        found = []
        for element, part in element_ids(item.id, item.properties, "ipConfigurations", SEGMENT):
            for relation in ("subnet", "publicIPAddress"):
                target = id_of(part.get(relation))
                found += [Reference(relation, target, element)] if target else []
        network = id_of(item.properties.get("virtualNetwork"))
        return [*found, Reference("virtualNetwork", network, str(item.id))] if network else found

    def succeeded(self, cloud: Cloud, item: Resource, operation: Operation) -> None:
        if sku_of(item) == "Developer":
            item.properties["dnsName"] = f"omnibrain.{item.location}.bastionglobal.azure.com"
        elif not str(item.properties.get("dnsName", "")).startswith("bst-"):
            item.properties["dnsName"] = f"bst-{new_guid()}.bastion.azure.com"

    def computed(self, cloud: Cloud, item: Resource) -> Json:
        return {"ipConfigurations": answered_parts(cloud, item, SEGMENT)}

    def _sku_name(self, name: str, put: Put) -> str:
        for known in RANK:
            if known.lower() == str(name).lower():
                return known
        raise bad_request("InvalidBastionHostSku", f"SKU {name} of Bastion host {put.id} is none of {', '.join(RANK)}.")

    def _check_features(self, put: Put, rank: int) -> None:
        name = put.body["sku"]["name"]
        for feature, smallest in SMALLEST_RANK.items():
            if put.properties.get(feature) is True and rank < smallest:
                raise bad_request(
                    f"FeatureNotSupportedFor{name}BastionSku",
                    f"Feature {feature} of Bastion host {put.id} is not supported for SKU {name}.",
                )
        rules = _client_rules(put.properties)
        if rank > RANK["Developer"] and rules and rules != _client_rules(put.before):
            raise bad_request(
                f"FeatureNotSupportedFor{name}BastionSku",
                f"Feature networkAcls of Bastion host {put.id} is not supported for SKU {name}.",
            )
        units = put.properties["scaleUnits"]
        if not isinstance(units, int) or not MIN_SCALE <= units <= MAX_SCALE:
            raise bad_request(
                "InvalidBastionHostScaleUnits",
                f"Scale units of Bastion host {put.id} must be {MIN_SCALE} to {MAX_SCALE}.",
            )
        if rank < RANK["Standard"] and units != MIN_SCALE:
            raise bad_request(
                f"FeatureNotSupportedFor{name}BastionSku",
                f"Host scaling of Bastion host {put.id} is not supported for SKU {name}.",
            )

    def _check_developer(self, put: Put) -> None:
        network = parsed(put.properties.get("virtualNetwork"))
        if network is None:
            raise missing("virtualNetwork.id", put.id)
        if put.cloud.find(str(network)) is None:
            raise invalid_reference(str(network), str(put.id))
        if items(put.properties, "ipConfigurations"):
            raise bad_request(
                "FeatureNotSupportedForDeveloperBastionSku",
                f"Bastion host {put.id} of SKU Developer must not have ipConfigurations.",
            )
        put.properties["ipConfigurations"] = []

    def _check_configuration(self, put: Put) -> None:
        parts = items(put.properties, "ipConfigurations")
        if len(parts) != 1:
            raise bad_request(
                "BastionHostMustHaveOneIpConfiguration", f"Bastion host {put.id} must have exactly one ipConfiguration."
            )
        put.properties.pop("virtualNetwork", None)
        part = parts[0]
        properties = part.get("properties") or {}
        put.properties["ipConfigurations"] = [
            {
                "name": part.get("name") or "IpConf",
                "type": f"{BASTION_HOSTS}/{SEGMENT}",
                "properties": in_order(_PART_ORDER, {**properties, "privateIPAllocationMethod": "Dynamic"}),
            }
        ]
        subnet = self._subnet(put, properties)
        if put.properties.get("enablePrivateOnlyBastion") is not True:
            self._check_address(put, properties)
        group = put.cloud.find(id_of(subnet.properties.get("networkSecurityGroup")))
        if group is not None:
            rules = [rule.properties for rule in put.cloud.store.children(group.key, bastion_rules.RULES)]
            bastion_rules.check_rules(group.name, rules)

    def _subnet(self, put: Put, properties: Json) -> Resource:
        wanted = parsed(properties.get("subnet"))
        if wanted is None:
            raise missing("subnet.id", put.id)
        subnet = put.cloud.find(str(wanted))
        # Ids are compared without case, names are what they were given: the subnet's own counts.
        fits = wanted.name.lower() == _SUBNET_KEY if subnet is None else subnet.name == bastion_rules.SUBNET_NAME
        stays = wanted.key in _ids(put.before, "subnet")
        if not fits and not stays:
            raise bad_request(
                "SubnetNameMustBeAzureBastionSubnet",
                f"Subnet {subnet.id if subnet else wanted} of Bastion host {put.id} must be named "
                f"{bastion_rules.SUBNET_NAME}.",
            )
        if subnet is None:
            raise invalid_reference(str(wanted), str(put.id))
        if not stays:
            bastion_rules.check_size(str(subnet.id), subnet.properties)
        for reference in put.cloud.store.referrers(subnet.key, "subnet"):
            if reference.source != put.id.key:
                raise bad_request(
                    "BastionHostSubnetMustBeDedicated",
                    f"Subnet {subnet.id} of Bastion host {put.id} is in use by {reference.element}.",
                )
        return subnet

    def _check_address(self, put: Put, properties: Json) -> None:
        wanted = parsed(properties.get("publicIPAddress"))
        if wanted is None:
            raise missing("publicIPAddress.id", put.id)
        address = put.cloud.find(str(wanted))
        if address is None or address.location.lower() != put.location.lower():
            raise invalid_reference(str(wanted), str(put.id))
        if sku_of(address) == "Basic" or address.properties.get("publicIPAllocationMethod") != "Static":
            raise bad_request(
                "PublicIPSkuMismatch",
                f"Public IP address {address.id} of Bastion host {put.id} must be of SKU Standard with static allocation.",
            )
        if not is_ipv4(address) and wanted.key not in _ids(put.before, "publicIPAddress"):
            raise bad_request(
                "PublicIPSkuMismatch",
                f"Public IP address {address.id} of Bastion host {put.id} must be of version IPv4.",
            )
        refuse_other_user(put, address)

    def _refuse_change(self, put: Put, old: Resource, rank: int) -> None:
        before = RANK.get(sku_of(old), 1)
        if rank < before:
            raise self._refused(put, f"SKU cannot be downgraded from {sku_of(old)}")
        if before == RANK["Developer"] and rank > before:
            return
        if (old.body.get("zones") or []) != (put.body.get("zones") or []):
            raise self._refused(put, "zones cannot be changed")
        if bool(old.properties.get("enablePrivateOnlyBastion")) != bool(put.properties.get("enablePrivateOnlyBastion")):
            raise self._refused(put, "enablePrivateOnlyBastion cannot be changed")
        for relation in ("subnet", "publicIPAddress"):
            if _ids(old.properties, relation) != _ids(put.properties, relation):
                raise self._refused(put, f"{relation} cannot be changed")

    def _refused(self, put: Put, what: str) -> Exception:
        return bad_request("BastionUpdateNotSupported", f"Update of Bastion host {put.id} is not supported: {what}.")


def _ids(properties: Json, relation: str) -> list[str | None]:
    """The keys of what the ipConfigurations name in one way."""
    found = [parsed(part.get(relation)) for part in configured(properties)]
    return [None if one is None else one.key for one in found]


def _client_rules(properties: Json) -> list[Json]:
    """The list of clients that are let in."""
    return items(properties.get("networkAcls") or {}, "ipRules")

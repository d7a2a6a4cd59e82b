"""Fixes of the Bastion's own side: the host, its subnet, its public IP, its features, its rules. Steps 1 to 7, 9 and 17."""

from collections.abc import Iterator, Mapping
from typing import Any

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.bastion_host import BastionHost
from bastion_operator.network.fields import Row, mapping, objects, text, texts
from bastion_operator.network.finding import Action, Actor, Change, Finding, Fix
from bastion_operator.network.fixes.flows import by_default, open_group
from bastion_operator.network.fixes.rules import allow_in_front, allow_rule, first_deny, first_doubtful
from bastion_operator.network.fixes.situation import Situation, free_bastion_prefix, free_name, own_subnet, set_field
from bastion_operator.network.reachability.bastion_rules import unmet_rows
from bastion_operator.network.reachability.host import SUBNET_NAME
from bastion_operator.network.reachability.methods import sessions_an_instance
from bastion_operator.network.resource_types import BASTION_HOSTS, PRIVATE_ZONE_LINKS, PUBLIC_IPS, ROUTE_TABLES
from bastion_operator.network.sku import CAPACITY, Sku, lowest_sku
from bastion_operator.network.virtual_network import Subnet, VirtualNetwork

_READ_ONLY = ("provisioningState", "dnsName")
_SUBNETS = "properties.subnets"
_LAST_PRIORITY = 65500


def new_host(situation: Situation, network: VirtualNetwork) -> Iterator[Fix]:
    """A Bastion in a VNet, with its subnet and its public IP, in the lowest SKU that does what was asked."""
    prefix = free_bastion_prefix(network)
    if own_subnet(network) is None and prefix is None:
        return
    group = network.id.partition("/providers/")[0]
    name = free_name(f"bastion-{network.name}", situation.names(BASTION_HOSTS))
    host_id = f"{group}/providers/Microsoft.Network/bastionHosts/{name}"
    changes = (*_own_subnet(network), *_new_address(situation, host_id, network.location))
    body = {
        "location": network.location,
        "sku": {"name": _asked_sku(situation).value},
        "properties": {"ipConfigurations": [_configuration(network, changes[-1].resource)]},
    }
    created = Change(Action.CREATE, host_id, "", None, body, Actor.OPERATOR)
    yield Fix(f"create a Bastion in VNet {network.name}", (*changes, created))


def _asked_sku(situation: Situation) -> Sku:
    system, asked = situation.target.vm.operating_system, situation.asked
    own = {"Windows": "RDP", "Linux": "SSH"}.get(system.value if system is not None else "")
    usual = own == asked.protocol.value and not asked.custom_port
    return Sku.BASIC if usual else lowest_sku("anyProtocolAndPort")


def _own_subnet(network: VirtualNetwork) -> tuple[Change, ...]:
    """The subnet where it is missing, in the VNet's lowest free /26; one whose name differs in case gives way."""
    if own_subnet(network) is not None:
        return ()
    if (wrong := network.subnet(SUBNET_NAME)) is not None:
        return tuple(_renamed(network, wrong))
    body = {"name": SUBNET_NAME, "properties": {"addressPrefix": free_bastion_prefix(network)}}
    return (Change(Action.ADD, network.id, _SUBNETS, None, body, Actor.OPERATOR),)


def _new_address(situation: Situation, host_id: str, location: str | None) -> tuple[Change]:
    group, _, name = host_id.partition("/providers/Microsoft.Network/bastionHosts/")
    address = free_name(f"{name}-ip", situation.names(PUBLIC_IPS))
    own = f"{group}/providers/Microsoft.Network/publicIPAddresses/{address}"
    held = {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4"}
    body = {"location": location, "sku": {"name": "Standard", "tier": "Regional"}, "properties": held}
    return (Change(Action.CREATE, own, "", None, body, Actor.OPERATOR),)


def _configuration(network: VirtualNetwork, address_id: str) -> dict[str, Any]:
    held = {"subnet": {"id": f"{network.id}/subnets/{SUBNET_NAME}"}, "publicIPAddress": {"id": address_id}}
    return {"name": "IpConf", "properties": held}


def another_host(situation: Situation, reason: Finding) -> Iterator[Fix]:
    """A Bastion of the data asked in place of one that is not there; where there is none, one in the VM's VNet."""
    if situation.inventory.bastions:
        asked = Change(Action.ASK, situation.target.vm.id, "bastion", reason.resource, None, Actor.USER)
        yield Fix("ask about a Bastion that is in the data", (asked,))
    elif situation.target.network is not None:
        yield from new_host(situation, situation.target.network)


def recreate(situation: Situation, _: Finding) -> Iterator[Fix]:
    """The host deleted and made anew as it was."""
    if (bastion := _bastion(situation)) is not None:
        yield Fix(f"delete Bastion {bastion.name} and create it anew", _recreated(situation, bastion, {}))


def _bastion(situation: Situation) -> BastionHost | None:
    return situation.host.bastion if situation.host is not None else None


def _body(situation: Situation, bastion: BastionHost) -> dict[str, Any]:
    """What was asked of Azure when the host was made."""
    row: Row = situation.inventory.row(bastion.id) or {}
    kept = {key: value for key, value in row.items() if key in {"location", "sku", "tags", "zones", "tenantId"}}
    properties = mapping(row, "properties")
    return kept | {"properties": {key: held for key, held in properties.items() if key not in _READ_ONLY}}


def _recreated(
    situation: Situation, bastion: BastionHost, properties: Mapping[str, Any], *between: Change
) -> tuple[Change, ...]:
    body = _body(situation, bastion)
    body["properties"] |= properties
    state = bastion.provisioning_state
    gone = Change(Action.DELETE, bastion.id, "", state, None, Actor.OPERATOR)
    return (gone, *between, Change(Action.CREATE, bastion.id, "", None, body, Actor.OPERATOR))


def wait(situation: Situation, _: Finding) -> Iterator[Fix]:
    """Azure left to finish."""
    if (bastion := _bastion(situation)) is not None:
        state = bastion.provisioning_state
        field = "properties.provisioningState"
        change = Change(Action.WAIT, bastion.id, field, state, "Succeeded", Actor.OPERATOR)
        yield Fix(f"wait until Azure is done with Bastion {bastion.name} (about 10 minutes)", (change,))


def send_again(situation: Situation, _: Finding) -> Iterator[Fix]:
    """The identical PUT that heals most failed changes."""
    if (bastion := _bastion(situation)) is not None:
        field, state = "properties.provisioningState", bastion.provisioning_state
        change = Change(Action.REPEAT, bastion.id, field, state, "Succeeded", Actor.OPERATOR)
        yield Fix(f"send the configuration of Bastion {bastion.name} again", (change,))


def give_subnet(situation: Situation, _: Finding) -> Iterator[Fix]:
    """The subnet of the one name that Azure takes; the host made anew where it points elsewhere."""
    bastion, host = _bastion(situation), situation.host
    network = host.network if host is not None else None
    network = network or situation.target.network
    if bastion is None or network is None or not (own_subnet(network) or free_bastion_prefix(network)):
        return
    made = _own_subnet(network)
    if network.subnet(SUBNET_NAME) is None and bastion.subnet_id is not None:
        yield Fix(f"create {SUBNET_NAME} in VNet {network.name}", made)
    address = bastion.public_ip_id
    bought: tuple[Change, ...] = () if address is not None else _new_address(situation, bastion.id, network.location)
    configuration = _configuration(network, address or bought[0].resource)
    properties = {"ipConfigurations": [configuration]}
    changes = _recreated(situation, bastion, properties, *made, *bought)
    yield Fix(f"create {SUBNET_NAME} in VNet {network.name} and Bastion {bastion.name} anew in it", changes)


def _renamed(network: VirtualNetwork, wrong: Subnet) -> Iterator[Change]:
    prefixes = list(wrong.prefixes.texts) if wrong.prefixes is not None else []
    yield Change(Action.DELETE, wrong.id, "", wrong.name, None, Actor.OPERATOR)
    body = {"name": SUBNET_NAME, "properties": {"addressPrefixes": prefixes}}
    yield Change(Action.ADD, network.id, _SUBNETS, None, body, Actor.OPERATOR)


def widen_subnet(situation: Situation, _: Finding) -> Iterator[Fix]:
    """A larger prefix, for which the host has to leave its subnet and come back."""
    host, bastion = situation.host, _bastion(situation)
    if host is None or bastion is None or host.network is None or host.subnet is None:
        return
    if (prefix := free_bastion_prefix(host.network)) is None:
        return
    changes = _recreated(situation, bastion, {}, _of_prefix(situation, host.network, host.subnet, prefix))
    yield Fix(f"make Bastion {bastion.name} anew in {SUBNET_NAME} of {prefix}", changes)


def _of_prefix(situation: Situation, network: VirtualNetwork, subnet: Subnet, prefix: str) -> Change:
    """The subnet with another prefix, in the one of the two fields that it has: Azure takes no subnet with both."""
    listed = objects(situation.inventory.row(network.id), "properties", "subnets")
    row = situation.inventory.row(subnet.id) or next((one for one in listed if text(one, "name") == subnet.name), None)
    if several := texts(row, "properties", "addressPrefixes"):
        return set_field(subnet.id, "properties.addressPrefixes", list(several), [prefix], Actor.OPERATOR)
    single = text(row, "properties", "addressPrefix")
    return set_field(subnet.id, "properties.addressPrefix", single, prefix, Actor.OPERATOR)


def take_table_off(situation: Situation, _: Finding) -> Iterator[Fix]:
    """AzureBastionSubnet without a route table."""
    subnet = situation.host.subnet if situation.host is not None else None
    if subnet is not None and subnet.route_table_id is not None:
        before = {"id": subnet.route_table_id}
        change = set_field(subnet.id, "properties.routeTable", before, None, Actor.NETWORK_OWNER)
        yield Fix(f"take the route table off {SUBNET_NAME}", (change,))


def keep_to_internet(situation: Situation, reason: Finding) -> Iterator[Fix]:
    """A route table with 0.0.0.0/0 to Internet on AzureBastionSubnet alone: what others learn stays as it is.

    Where that leaves open what the tag VirtualNetwork holds there, a rule for the VM as well.
    """
    host = situation.host
    if host is None or host.subnet is None or host.network is None:
        return
    group = host.network.id.partition("/providers/")[0]
    name = free_name(f"bastion-{host.network.name}", situation.names(ROUTE_TABLES))
    own = f"{group}/providers/Microsoft.Network/routeTables/{name}"
    route = {"name": "internet", "properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "Internet"}}
    body = {"location": host.network.location, "properties": {"routes": [route]}}
    before = {"id": host.subnet.route_table_id} if host.subnet.route_table_id else None
    created = Change(Action.CREATE, own, "", None, body, Actor.NETWORK_OWNER)
    attached = set_field(host.subnet.id, "properties.routeTable", before, {"id": own}, Actor.NETWORK_OWNER)
    summary = f"give {SUBNET_NAME} a route table with 0.0.0.0/0 to Internet"
    yield Fix(summary, (created, attached))
    if (group_id := host.subnet.network_security_group_id) is not None:
        for opened in open_group(situation, by_default(reason, group_id)):
            yield Fix(f"{summary}, and {opened.summary}", (created, attached, *opened.changes))


def unlink_zone(situation: Situation, reason: Finding) -> Iterator[Fix]:
    """The private DNS zone's link to the VNet deleted."""
    host = situation.host
    if host is None or reason.resource is None:
        return
    zone = normalise_id(reason.resource) + "/"
    for key, row in sorted(situation.inventory.rows(PRIVATE_ZONE_LINKS).items()):
        linked = normalise_id(str(mapping(row, "properties", "virtualNetwork").get("id", "")))
        if key.startswith(zone) and linked == host.network_key:
            gone = Change(Action.DELETE, row["id"], "", host.network_id, None, Actor.NETWORK_OWNER)
            yield Fix(f"unlink {reason.resource.rsplit('/', 1)[-1]} from VNet {host.network_name}", (gone,))


def add_row(situation: Situation, reason: Finding) -> Iterator[Fix]:
    """The row of Azure's table that is unmet, in front of what denies it."""
    host = situation.host
    if host is None or reason.resource is None:
        return
    row = next((row for row, told in unmet_rows(situation.inventory, host) if told == reason), None)
    group = situation.security_group(reason.resource)
    if row is None or group is None:
        return
    direction = row.direction
    name, source, destination = row.rule
    rule = allow_rule(name, direction, source, destination, [str(port) for port in row.ports])
    found = (reason.priority, first_doubtful(group, direction), first_deny(group, direction), _LAST_PRIORITY)
    before = sorted({place for place in found if place is not None}, reverse=True)
    yield from allow_in_front(situation, reason.resource, rule, before, guarded=False)


def give_address(situation: Situation, _: Finding) -> Iterator[Fix]:
    """A public IP that Azure takes; the host's address is fixed when it is made."""
    bastion, host = _bastion(situation), situation.host
    if bastion is None or host is None or host.network is None or host.subnet is None:
        return
    bought = _new_address(situation, bastion.id, bastion.location)
    properties = {"ipConfigurations": [_configuration(host.network, bought[0].resource)]}
    changes = _recreated(situation, bastion, properties, *bought)
    yield Fix(f"make Bastion {bastion.name} anew with a Standard static IPv4 address", changes)


def scale_out(situation: Situation, _: Finding) -> Iterator[Fix]:
    """As many instances as carry the sessions there are and one more; the SKU that scales where this one does not."""
    bastion = _bastion(situation)
    if bastion is None:
        return
    sessions = situation.evaluation.active_sessions.get(bastion.key, 0)
    sku = lowest_sku("scaling")
    units = next(
        (
            number
            for number in range(bastion.scale_units + 1, CAPACITY[sku].most_units + 1)
            if sessions < number * sessions_an_instance(sku, situation.asked.protocol)
        ),
        None,
    )
    if units is not None:
        yield from changed_sku(situation, sku, {"scaleUnits": units})


def any_protocol(situation: Situation, _: Finding) -> Iterator[Fix]:
    """The lowest SKU that speaks any protocol on any port; IP-based connection with it where that is the only path."""
    yield from changed_sku(situation, lowest_sku("anyProtocolAndPort"))
    yield from changed_sku(situation, lowest_sku("anyProtocolAndPort"), {"enableIpConnect": True})


def native_client(situation: Situation, _: Finding) -> Iterator[Fix]:
    """The native client switched on, with the SKU that has it, and session recording off."""
    bastion = _bastion(situation)
    if bastion is None:
        return
    features = {"enableTunneling": True} | ({"enableSessionRecording": False} if bastion.session_recording else {})
    yield from changed_sku(situation, lowest_sku("nativeClient"), features)


def changed_sku(situation: Situation, sku: Sku, features: Mapping[str, object] | None = None) -> Iterator[Fix]:
    """The host in at least this SKU, with these features (fields under ``properties``) as they are to be."""
    bastion, host = _bastion(situation), situation.host
    if bastion is None or host is None:
        return
    row: Row = situation.inventory.row(bastion.id) or {}
    held = mapping(row, "properties")
    changes: list[Change] = []
    told = []
    if bastion.sku is None or bastion.sku.rank < sku.rank:
        if host.is_developer and host.network is not None:
            changes += [*_own_subnet(host.network), *_new_address(situation, bastion.id, bastion.location)]
            configurations = [_configuration(host.network, changes[-1].resource)]
            before = list(objects(row, "properties", "ipConfigurations"))
            changes.append(set_field(bastion.id, "properties.ipConfigurations", before, configurations, Actor.OPERATOR))
        changes.append(set_field(bastion.id, "sku.name", bastion.sku_name, sku.value, Actor.OPERATOR))
        told.append(f"upgrade Bastion {bastion.name} to {sku}")
    for field, wanted in (features or {}).items():
        if held.get(field) != wanted:
            changes.append(set_field(bastion.id, f"properties.{field}", held.get(field), wanted, Actor.OPERATOR))
            told.append(f"set {field} of Bastion {bastion.name} to {str(wanted).lower()}")
    yield Fix(" and ".join(told), tuple(changes))

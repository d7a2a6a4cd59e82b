"""Rows of an Azure estate for tests, as Resource Graph answers them: readable functions in, raw ARM JSON out.

Names are enough where an id is wanted: ``subnet_id("hub", "AzureBastionSubnet")``. ``change`` and ``drop`` give a copy of an
estate with one thing different.
"""

import copy
from collections.abc import Iterable
from typing import Any

Row = dict[str, Any]
Estate = list[Row]

SUBSCRIPTION = "00000000-0000-0000-0000-0000000000a1"
OTHER_SUBSCRIPTION = "00000000-0000-0000-0000-0000000000b2"
TENANT = "00000000-0000-0000-0000-00000000000f"
GROUP = "net"
REGION = "westeurope"
NETWORK = "Microsoft.Network"


def resource_id(kind: str, name: str, *, group: str = GROUP, subscription: str = SUBSCRIPTION) -> str:
    """An id; ``kind`` with its namespace, as Microsoft.Network/virtualNetworks."""
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{kind}/{name}"


def vnet_id(name: str, **where: str) -> str:
    return name if name.startswith("/") else resource_id(f"{NETWORK}/virtualNetworks", name, **where)


def subnet_id(network: str, name: str, **where: str) -> str:
    return f"{vnet_id(network, **where)}/subnets/{name}"


def nsg_id(name: str, **where: str) -> str:
    return name if name.startswith("/") else resource_id(f"{NETWORK}/networkSecurityGroups", name, **where)


def route_table_id(name: str, **where: str) -> str:
    return name if name.startswith("/") else resource_id(f"{NETWORK}/routeTables", name, **where)


def asg_id(name: str, **where: str) -> str:
    return name if name.startswith("/") else resource_id(f"{NETWORK}/applicationSecurityGroups", name, **where)


def nic_id(name: str, **where: str) -> str:
    return name if name.startswith("/") else resource_id(f"{NETWORK}/networkInterfaces", name, **where)


def vm_id(name: str, **where: str) -> str:
    return name if name.startswith("/") else resource_id("Microsoft.Compute/virtualMachines", name, **where)


def bastion_id(name: str, **where: str) -> str:
    return name if name.startswith("/") else resource_id(f"{NETWORK}/bastionHosts", name, **where)


def public_ip_id(name: str, **where: str) -> str:
    return name if name.startswith("/") else resource_id(f"{NETWORK}/publicIPAddresses", name, **where)


def row(row_id: str, properties: Row, *, location: str = REGION, **columns: Any) -> Row:
    """A row of Resource Graph's table ``resources``: type lower-case, empty columns as the graph fills them."""
    _, _, tail = row_id.rpartition("/providers/")
    namespace, *segments = tail.split("/")
    return {
        "id": row_id,
        "name": row_id.rsplit("/", 1)[-1],
        "type": "/".join((namespace, *segments[::2])).lower(),
        "tenantId": TENANT,
        "kind": "",
        "location": location,
        "resourceGroup": row_id.split("/")[4].lower(),
        "subscriptionId": row_id.split("/")[2],
        "managedBy": "",
        "sku": None,
        "plan": None,
        "properties": properties,
        "tags": None,
        "identity": None,
        "zones": None,
        "extendedLocation": None,
    } | columns


def ref(resource: str | None) -> Row | None:
    return None if resource is None else {"id": resource}


def subnet(name: str, prefix: str, *, nsg: str | None = None, route_table: str | None = None, **properties: Any) -> Row:
    """A subnet for ``vnet``, which gives it its id."""
    held: Row = {"addressPrefix": prefix, "provisioningState": "Succeeded"}
    if nsg is not None:
        held["networkSecurityGroup"] = ref(nsg_id(nsg))
    if route_table is not None:
        held["routeTable"] = ref(route_table_id(route_table))
    return {"name": name, "type": "Microsoft.Network/virtualNetworks/subnets", "properties": held | properties}


def peering(
    to: str, *, space: Iterable[str], state: str = "Connected", name: str | None = None, **properties: Any
) -> Row:
    """One link for ``vnet``; ``space`` is what it knows of the other VNet."""
    known = {"addressPrefixes": list(space)}
    return {
        "name": name or f"to-{vnet_id(to).rsplit('/', 1)[-1]}",
        "type": "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
        "properties": {
            "provisioningState": "Succeeded",
            "peeringState": state,
            "peeringSyncLevel": "FullyInSync",
            "remoteVirtualNetwork": ref(vnet_id(to)),
            "allowVirtualNetworkAccess": True,
            "allowForwardedTraffic": False,
            "allowGatewayTransit": False,
            "useRemoteGateways": False,
            "peerCompleteVnets": True,
            "remoteAddressSpace": known,
            "remoteVirtualNetworkAddressSpace": known,
        }
        | properties,
    }


def vnet(
    name: str,
    *prefixes: str,
    subnets: Iterable[Row] = (),
    peerings: Iterable[Row] = (),
    location: str = REGION,
    **properties: Any,
) -> Row:
    """A VNet with its subnets and links inside, as Azure answers it."""
    own = vnet_id(name)
    held = {
        "addressSpace": {"addressPrefixes": list(prefixes)},
        "provisioningState": "Succeeded",
        "subnets": [{"id": f"{own}/subnets/{child['name']}"} | child for child in subnets],
        "virtualNetworkPeerings": [
            {"id": f"{own}/virtualNetworkPeerings/{child['name']}"} | child for child in peerings
        ],
    }
    return row(own, held | properties, location=location)


def nic(name: str, network: str, subnet_name: str, address: str | None, **options: Any) -> Row:
    """A NIC with one ipConfiguration. Options: ``nsg``, ``asgs``, ``configuration`` (more of its properties)."""
    configuration: Row = {
        "primary": True,
        "privateIPAddressVersion": "IPv4",
        "subnet": ref(subnet_id(network, subnet_name)),
    }
    if address is not None:
        configuration["privateIPAddress"] = address
    if options.get("asgs"):
        configuration["applicationSecurityGroups"] = [ref(asg_id(group)) for group in options["asgs"]]
    configuration |= options.get("configuration", {})
    held: Row = {"primary": True, "ipConfigurations": [{"name": "ipconfig1", "properties": configuration}]}
    if options.get("nsg") is not None:
        held["networkSecurityGroup"] = ref(nsg_id(options["nsg"]))
    return row(nic_id(name), held)


def vm(name: str, *, nics: Iterable[str] | None = None, os: str = "Linux", power: str | None = "running") -> Row:
    """A VM; by default with the one NIC ``<name>-nic``. ``power`` None leaves the instance view out."""
    names = [f"{name}-nic"] if nics is None else list(nics)
    references = [{"id": nic_id(one), "properties": {"primary": place == 0}} for place, one in enumerate(names)]
    held: Row = {
        "storageProfile": {"osDisk": {"osType": os}},
        "networkProfile": {"networkInterfaces": references},
        "provisioningState": "Succeeded",
    }
    if power is not None:
        state = {"code": f"PowerState/{power}", "displayStatus": f"VM {power}", "level": "Info"}
        held["extended"] = {"instanceView": {"powerState": state}}
    return row(vm_id(name), held)


def rule(name: str, priority: int, access: str, **fields: Any) -> Row:
    """A security rule. Fields: ``direction``, ``source``, ``destination``, ``ports``, ``protocol``, ``source_ports``; a list
    becomes the plural field, as Azure has it. Further fields are ARM's own.
    """
    held: Row = {
        "priority": priority,
        "access": access,
        "direction": fields.pop("direction", "Inbound"),
        "protocol": fields.pop("protocol", "Tcp"),
    }
    held |= _one_or_many("sourceAddressPrefix", "sourceAddressPrefixes", fields.pop("source", "*"))
    held |= _one_or_many("destinationAddressPrefix", "destinationAddressPrefixes", fields.pop("destination", "*"))
    held |= _one_or_many("sourcePortRange", "sourcePortRanges", fields.pop("source_ports", "*"))
    held |= _one_or_many("destinationPortRange", "destinationPortRanges", fields.pop("ports", "*"))
    return {"name": name, "properties": held | fields}


def _one_or_many(singular: str, plural: str, value: str | list[str]) -> Row:
    return {plural: list(value)} if isinstance(value, list) else {singular: value, plural: []}


def nsg(name: str, *rules: Row, **columns: Any) -> Row:
    """A network security group with its rules inside."""
    own = nsg_id(name)
    held = [{"id": f"{own}/securityRules/{child['name']}"} | child for child in rules]
    return row(own, {"securityRules": held, "provisioningState": "Succeeded"}, **columns)


def route(name: str, prefix: str, hop: str, address: str | None = None) -> Row:
    held = {"addressPrefix": prefix, "nextHopType": hop}
    return {"name": name, "properties": held | ({"nextHopIpAddress": address} if address else {})}


def route_table(name: str, *routes: Row, propagates_bgp: bool = True) -> Row:
    held = {"routes": list(routes), "disableBgpRoutePropagation": not propagates_bgp}
    return row(route_table_id(name), held)


def manager_id(path: str) -> str:
    return resource_id(f"{NETWORK}/networkManagers", f"manager/{path}")


def security_admin(network: str, *rules: Row, **configuration: Any) -> list[Row]:
    """A security admin configuration with these rules (``admin_rule``), in force on a VNet."""
    own = manager_id("securityAdminConfigurations/baseline")
    effective = f"{vnet_id(network)}/providers/Microsoft.Network/effectiveSecurityAdminRules/default"
    snapshot = f"{own}/snapshots/3"
    return [
        row(effective, {"EffectiveSecurityAdminConfigurations": [{"Id": snapshot}]}),
        row(snapshot, {"applyOnNetworkIntentPolicyBasedServices": ["None"]} | configuration),
        *(row(f"{own}/ruleCollections/all/rules/{one['name']}/snapshots/3", one["properties"]) for one in rules),
    ]


def admin_rule(name: str, priority: int, access: str, **fields: Any) -> Row:
    """A security admin rule. Fields: ``source``, ``destination``, ``ports``."""
    source = fields.get("source", "*")
    kind = "ServiceTag" if source[:1].isalpha() else "IPPrefix"
    held = {
        "priority": priority,
        "access": access,
        "direction": "Inbound",
        "protocol": "Tcp",
        "sources": [{"addressPrefix": source, "addressPrefixType": kind}],
        "destinations": [{"addressPrefix": fields.get("destination", "*"), "addressPrefixType": "IPPrefix"}],
        "sourcePortRanges": ["0-65535"],
        "destinationPortRanges": fields.get("ports", ["22", "3389"]),
    }
    return {"name": name, "properties": held}


def connected_group(*networks: str) -> list[Row]:
    """A mesh of a network manager over these VNets, without peering objects."""
    own = manager_id("connectivityConfigurations/mesh/snapshots/1")
    held = {"connectivityTopology": "Mesh", "isGlobal": "True"}
    effective = "providers/Microsoft.Network/effectiveConnectivityConfigurations/default"
    listed = {"effectiveConnectivityConfigurations": [{"id": own}]}
    return [row(own, held), *(row(f"{vnet_id(one)}/{effective}", listed) for one in networks)]


def scale_set(name: str, network: str, subnet_name: str, *, instances: int = 1, nsg: str | None = None) -> list[Row]:
    """A uniform Linux scale set and its running instances, whose NICs are no rows."""
    address = {"primary": True, "privateIPAddressVersion": "IPv4", "subnet": ref(subnet_id(network, subnet_name))}
    held: Row = {"primary": True, "ipConfigurations": [{"name": "ip", "properties": address}]}
    if nsg is not None:
        held["networkSecurityGroup"] = ref(nsg_id(nsg))
    profile = {"networkInterfaceConfigurations": [{"name": "nic", "properties": held}]}
    own = resource_id("Microsoft.Compute/virtualMachineScaleSets", name)
    rows = [row(own, {"orchestrationMode": "Uniform", "virtualMachineProfile": {"networkProfile": profile}})]
    for number in range(instances):
        instance = f"{own}/virtualMachines/{number}"
        nics = {"networkInterfaces": [{"id": f"{instance}/networkInterfaces/nic"}]}
        state = {"statuses": [{"code": "PowerState/running"}]}
        disk = {"osDisk": {"osType": "Linux"}}
        rows.append(row(instance, {"networkProfile": nics, "instanceView": state, "storageProfile": disk}))
    return rows


def jit_policy(*machines: str) -> Row:
    """A just-in-time access policy of Defender for Cloud that covers these VMs."""
    own = resource_id("Microsoft.Security/locations", "westeurope/jitNetworkAccessPolicies/default")
    return row(own, {"virtualMachines": [{"id": vm_id(one), "ports": [{"number": 22}]} for one in machines]})


def private_zone_link(zone: str, network: str) -> Row:
    """A link of a private DNS zone to a VNet."""
    own = resource_id(f"{NETWORK}/privateDnsZones", f"{zone}/virtualNetworkLinks/to-{network}")
    return row(own, {"virtualNetwork": ref(vnet_id(network)), "registrationEnabled": False}, location="global")


def hub(name: str, wan: str = "wan") -> Row:
    """A virtual WAN hub."""
    return row(
        hub_id(name), {"virtualWan": ref(resource_id(f"{NETWORK}/virtualWans", wan)), "addressPrefix": "10.250.0.0/23"}
    )


def hub_id(name: str) -> str:
    return resource_id(f"{NETWORK}/virtualHubs", name)


def hub_connection(hub_name: str, network: str, **properties: Any) -> Row:
    """A hub's connection to a VNet, with Azure's default routing unless ``routingConfiguration`` says otherwise."""
    own = f"{hub_id(hub_name)}/hubVirtualNetworkConnections/{network}-connection"
    return row(own, {"remoteVirtualNetwork": ref(vnet_id(network)), "enableInternetSecurity": False} | properties)


def hub_route_table(hub_name: str, name: str, *, labels: Iterable[str] = (), routes: Iterable[str] = ()) -> Row:
    """A hub's route table; ``routes`` are destinations of static routes."""
    held = [{"name": "static", "destinations": list(routes), "nextHop": "firewall"}] if routes else []
    return row(f"{hub_id(hub_name)}/hubRouteTables/{name}", {"labels": list(labels), "routes": held})


def routing_intent(hub_name: str, *destinations: str) -> Row:
    """A hub's routing intent: ``Internet``, ``PrivateTraffic`` or both."""
    policies = [{"name": "policy", "destinations": list(destinations), "nextHop": "firewall"}]
    return row(f"{hub_id(hub_name)}/routingIntent/intent", {"routingPolicies": policies})


def gateway(name: str, network: str) -> Row:
    """A virtual network gateway in a VNet."""
    configuration = {"name": "default", "properties": {"subnet": ref(subnet_id(network, "GatewaySubnet"))}}
    own = resource_id(f"{NETWORK}/virtualNetworkGateways", name)
    return row(own, {"gatewayType": "Vpn", "ipConfigurations": [configuration]})


def site(name: str, gateway_name: str, *prefixes: str) -> list[Row]:
    """A local network gateway with these prefixes, and its connection to a gateway."""
    own = resource_id(f"{NETWORK}/localNetworkGateways", name)
    gateway_id = resource_id(f"{NETWORK}/virtualNetworkGateways", gateway_name)
    ends = {"virtualNetworkGateway1": ref(gateway_id), "localNetworkGateway2": ref(own), "connectionType": "IPsec"}
    return [
        row(own, {"localNetworkAddressSpace": {"addressPrefixes": list(prefixes)}}),
        row(resource_id(f"{NETWORK}/connections", f"{gateway_name}-{name}"), ends),
    ]


def public_ip(name: str, *, sku: str = "Standard", **properties: Any) -> Row:
    held = {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4", "provisioningState": "Succeeded"}
    return row(public_ip_id(name), held | properties, sku={"name": sku, "tier": "Regional"})


def bastion(name: str, network: str, *, sku: str = "Standard", location: str = REGION, **properties: Any) -> Row:
    """A Bastion host; its public IP is ``<name>-ip``. Developer is bound to the VNet by id."""
    held: Row = {"provisioningState": "Succeeded", "dnsName": "bst-1.bastion.azure.com", "scaleUnits": 2}
    if sku == "Developer":
        held |= {"virtualNetwork": ref(vnet_id(network)), "ipConfigurations": []}
    else:
        configuration: Row = {"subnet": ref(subnet_id(network, "AzureBastionSubnet"))}
        if not properties.get("enablePrivateOnlyBastion"):
            configuration["publicIPAddress"] = ref(public_ip_id(f"{name}-ip"))
        held["ipConfigurations"] = [{"name": "IpConf", "properties": configuration}]
    return row(bastion_id(name), held | properties, sku={"name": sku}, location=location)


def same_vnet(**bastion_options: Any) -> Estate:
    """The smallest estate: VNet ``hub`` with Bastion ``bas`` (10.0.1.0/26) and running Linux VM ``web`` (10.0.2.4)."""
    return [
        vnet(
            "hub",
            "10.0.0.0/16",
            subnets=[subnet("AzureBastionSubnet", "10.0.1.0/26"), subnet("workload", "10.0.2.0/24")],
        ),
        public_ip("bas-ip"),
        bastion("bas", "hub", **bastion_options),
        nic("web-nic", "hub", "workload", "10.0.2.4"),
        vm("web"),
    ]


def hub_and_spoke(**bastion_options: Any) -> Estate:
    """VNet ``hub`` with Bastion ``bas`` (10.0.1.0/26), peered with VNet ``spoke`` with running Linux VM ``web`` (10.1.2.4)."""
    return [
        vnet(
            "hub",
            "10.0.0.0/16",
            subnets=[subnet("AzureBastionSubnet", "10.0.1.0/26"), subnet("workload", "10.0.2.0/24")],
            peerings=[peering("spoke", space=["10.1.0.0/16"])],
        ),
        vnet(
            "spoke",
            "10.1.0.0/16",
            subnets=[subnet("workload", "10.1.2.0/24")],
            peerings=[peering("hub", space=["10.0.0.0/16"])],
        ),
        public_ip("bas-ip"),
        bastion("bas", "hub", **bastion_options),
        nic("web-nic", "spoke", "workload", "10.1.2.4"),
        vm("web"),
    ]


def find(estate: Estate, name: str) -> Row:
    """The row of that name; names are unique in the estates of tests."""
    return next(row for row in estate if row["name"] == name)


def change(estate: Estate, name: str, path: str, value: Any) -> Estate:
    """A copy with one field of one row changed: ``properties.subnets.0.properties.addressPrefix``. ``DELETE`` takes it away."""
    changed = copy.deepcopy(estate)
    holder: Any = find(changed, name)
    *steps, last = path.split(".")
    for step in steps:
        holder = holder[int(step)] if isinstance(holder, list) else holder.setdefault(step, {})
    key: Any = int(last) if isinstance(holder, list) else last
    if value is DELETE:
        del holder[key]
    else:
        holder[key] = value
    return changed


def drop(estate: Estate, *names: str) -> Estate:
    """A copy without these rows."""
    return [copy.deepcopy(row) for row in estate if row["name"] not in names]


def add(estate: Estate, *rows: Row) -> Estate:
    """A copy with more rows."""
    return [*copy.deepcopy(estate), *rows]


def bastion_rules(*, sessions: int = 300) -> list[Row]:
    """The eight rules that Azure asks for on AzureBastionSubnet; ``sessions`` is the priority of the one towards VMs."""
    out = {"direction": "Outbound"}
    data = ["8080", "5701"]
    return [
        rule("AllowHttpsInbound", 120, "Allow", source="Internet", ports="443"),
        rule("AllowGatewayManagerInbound", 130, "Allow", source="GatewayManager", ports="443"),
        rule("AllowAzureLoadBalancerInbound", 140, "Allow", source="AzureLoadBalancer", ports="443"),
        rule("AllowDataPlaneInbound", 150, "Allow", source="VirtualNetwork", destination="VirtualNetwork", ports=data),
        rule("AllowSshRdpOutbound", sessions, "Allow", destination="VirtualNetwork", ports=["22", "3389"], **out),
        rule("AllowAzureCloudOutbound", 110, "Allow", destination="AzureCloud", ports="443", **out),
        rule(
            "AllowDataPlaneOutbound",
            120,
            "Allow",
            source="VirtualNetwork",
            destination="VirtualNetwork",
            ports=data,
            **out,
        ),
        rule("AllowGetSessionInformation", 130, "Allow", destination="Internet", ports="80", **out),
    ]


def with_routes(estate: Estate, where: str, *routes: Row, propagates_bgp: bool = True) -> Estate:
    """A copy with a route table ``routes`` on the ``bastion`` subnet or on the VM's ``subnet``."""
    table = route_table("routes", *routes, propagates_bgp=propagates_bgp)
    network, place = _subnet_of(estate, where)
    return add(change(estate, network, f"properties.subnets.{place}.properties.routeTable", ref(table["id"])), table)


def _subnet_of(estate: Estate, where: str) -> tuple[str, int]:
    network = "hub" if where == "bastion" or not any(one["name"] == "spoke" for one in estate) else "spoke"
    return network, 0 if where == "bastion" or network == "spoke" else 1


def with_nsg(estate: Estate, where: str, *rules: Row, bare: bool = False) -> Estate:
    """A copy with a group ``guard`` of these rules on the ``bastion`` subnet, the VM's ``subnet``, or its ``nic``.

    On the Bastion subnet Azure's own eight are added, unless ``bare``.
    """
    group = nsg("guard", *rules, *(bastion_rules() if where == "bastion" and not bare else []))
    reference = ref(group["id"])
    if where == "nic":
        return add(change(estate, "web-nic", "properties.networkSecurityGroup", reference), group)
    network, place = _subnet_of(estate, where)
    return add(change(estate, network, f"properties.subnets.{place}.properties.networkSecurityGroup", reference), group)


class _Delete:
    """The mark for ``change`` to take a field away."""

    def __repr__(self) -> str:
        return "DELETE"


DELETE = _Delete()

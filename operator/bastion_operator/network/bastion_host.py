"""Azure Bastion hosts, as read from ARM JSON."""

from dataclasses import dataclass

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.fields import Row, all_objects, flag, mapping, number, objects, reference, text
from bastion_operator.network.sku import DEFAULT_SCALE_UNITS, DEFAULT_SKU, Sku, parse_sku


@dataclass(frozen=True, slots=True)
class BastionHost:
    """A host. ``sku`` is None only where ``sku_name`` is no SKU that is known; feature fields never set are false.

    ``states_configurations``: its ipConfigurations are listed and can be read, so that what none of them has is not there.
    """

    id: str
    key: str
    name: str
    location: str | None
    tenant_id: str | None
    sku_name: str
    sku: Sku | None
    provisioning_state: str | None
    dns_name: str | None
    scale_units: int
    states_configurations: bool
    subnet_id: str | None
    public_ip_id: str | None
    developer_virtual_network_id: str | None
    tunneling: bool
    ip_connect: bool
    shareable_link: bool
    session_recording: bool
    private_only: bool

    @property
    def virtual_network_id(self) -> str | None:
        """The VNet that the host sits in: that of its subnet, for Developer the one it is bound to."""
        if self.sku is Sku.DEVELOPER:
            return self.developer_virtual_network_id
        if self.subnet_id is None:
            return None
        place = self.subnet_id.lower().rfind("/subnets/")
        return self.subnet_id[:place] if place > 0 else None

    @property
    def may_be_anywhere(self) -> bool:
        """Whether nothing tells which VNet it sits in; one that lists configurations without a subnet sits in none."""
        if self.virtual_network_id is not None:
            return False
        return self.sku in {Sku.DEVELOPER, None} or self.subnet_id is not None or not self.states_configurations


def read_bastion_host(row: Row, row_id: str) -> BastionHost:
    """A host out of its ARM JSON. Azure's default SKU is Basic."""
    properties = mapping(row, "properties")
    listed = list(objects(properties, "ipConfigurations"))
    placed = (one for one in listed if text(one, "properties", "subnet", "id") is not None)
    configuration = next(placed, listed[0] if listed else {"properties": {}}).get("properties")
    sku_name = text(row, "sku", "name")
    return BastionHost(
        id=row_id,
        key=normalise_id(row_id),
        name=text(row, "name") or row_id.rsplit("/", 1)[-1],
        location=text(row, "location"),
        tenant_id=text(row, "tenantId"),
        sku_name=sku_name or DEFAULT_SKU.value,
        sku=parse_sku(sku_name),
        provisioning_state=text(properties, "provisioningState"),
        dns_name=text(properties, "dnsName"),
        scale_units=number(properties, "scaleUnits") or DEFAULT_SCALE_UNITS,
        states_configurations=all_objects(properties, "ipConfigurations")
        and all(type(one.get("properties")) is dict for one in listed),
        subnet_id=reference(configuration, "subnet", row_id),
        public_ip_id=reference(configuration, "publicIPAddress", row_id),
        developer_virtual_network_id=text(properties, "virtualNetwork", "id"),
        tunneling=flag(properties, "enableTunneling"),
        ip_connect=flag(properties, "enableIpConnect"),
        shareable_link=flag(properties, "enableShareableLink"),
        session_recording=flag(properties, "enableSessionRecording"),
        private_only=flag(properties, "enablePrivateOnlyBastion"),
    )

"""Public IP addresses, as read from ARM JSON."""

from dataclasses import dataclass

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.fields import Row, mapping, text


@dataclass(frozen=True, slots=True)
class PublicIp:
    """A public IP address; None where the resource does not say. The version alone has a default, Azure's IPv4."""

    id: str
    key: str
    location: str | None
    sku: str | None
    allocation: str | None
    version: str
    provisioning_state: str | None


def read_public_ip(row: Row, row_id: str) -> PublicIp:
    """A public IP out of its ARM JSON. Azure always answers SKU and allocation: their absence says nothing."""
    properties = mapping(row, "properties")
    return PublicIp(
        id=row_id,
        key=normalise_id(row_id),
        location=text(row, "location"),
        sku=text(row, "sku", "name"),
        allocation=text(properties, "publicIPAllocationMethod"),
        version=text(properties, "publicIPAddressVersion") or "IPv4",
        provisioning_state=text(properties, "provisioningState"),
    )

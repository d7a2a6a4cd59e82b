"""Network interfaces and their ipConfigurations, as read from ARM JSON."""

from dataclasses import dataclass

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.fields import Row, at, flag, ids, mapping, reference, text


@dataclass(frozen=True, slots=True)
class IpConfiguration:
    """An ipConfiguration; ``address`` is the text that Azure gives, unchecked."""

    name: str
    primary: bool
    ipv4: bool
    address: str | None
    subnet_id: str | None
    application_security_group_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NetworkInterface:
    """A NIC; ``ip_configurations`` is None where the resource states no list of them.

    ``all_read``: there is nothing among them that cannot be read.
    """

    id: str
    key: str
    primary: bool
    network_security_group_id: str | None
    ip_configurations: tuple[IpConfiguration, ...] | None
    all_read: bool

    @property
    def ipv4(self) -> tuple[IpConfiguration, ...]:
        """The IPv4 configurations that may be the primary one: those that are marked so, or all where none is."""
        listed = tuple([each for each in self.ip_configurations or () if each.ipv4])
        if len(listed) <= 1:
            return listed
        return tuple([each for each in listed if each.primary]) or listed

    @property
    def primary_ipv4(self) -> IpConfiguration | None:
        """The configuration that Bastion connects to: the primary among the IPv4 ones, or the only one.

        None where there is none, and where it is not told which it is.
        """
        found = self.ipv4
        return found[0] if len(found) == 1 and (self.all_read or found[0].primary) else None

    @property
    def primary_is_untold(self) -> bool:
        """Whether there is, or may be, a primary one, and nothing says which."""
        return self.primary_ipv4 is None and (bool(self.ipv4) or not self.all_read)


def read_network_interface(row: Row, row_id: str) -> NetworkInterface:
    """A NIC out of its ARM JSON; also that of a scale set instance."""
    properties = mapping(row, "properties")
    stated = properties.get("ipConfigurations")
    listed: list[Row] = stated if type(stated) is list else []
    read = tuple([_read_configuration(each) for each in listed if type(at(each, "properties")) is dict])
    return NetworkInterface(
        id=row_id,
        key=normalise_id(row_id),
        primary=flag(properties, "primary"),
        network_security_group_id=reference(properties, "networkSecurityGroup", row_id),
        ip_configurations=read if type(stated) is list else None,
        all_read=type(stated) is list and len(read) == len(listed),
    )


def _read_configuration(row: Row) -> IpConfiguration:
    properties = mapping(row, "properties")
    stated = properties.get("privateIPAddress")
    address = None if stated is None else str(stated) or None
    groups = "applicationSecurityGroups"
    return IpConfiguration(
        name=text(row, "name") or "",
        primary=flag(properties, "primary"),
        ipv4=_is_ipv4(text(properties, "privateIPAddressVersion"), address),
        address=address,
        subnet_id=text(properties, "subnet", "id"),
        application_security_group_ids=tuple(map(normalise_id, ids(properties, groups)))
        if groups in properties
        else (),
    )


def _is_ipv4(version: str | None, address: str | None) -> bool:
    """By the version, where Azure leaves it out by the address itself."""
    if version is not None:
        return version.lower() == "ipv4"
    return address is None or ":" not in address

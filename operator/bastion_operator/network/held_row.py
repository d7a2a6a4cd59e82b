"""How a fleet's rows are held in memory: the types of which there are many are read as they arrive, and kept as that.

As JSON objects, 50,000 VMs with their NICs and security groups take a gigabyte; what is read of them takes a tenth.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import orjson

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.fields import Row, text
from bastion_operator.network.network_interface import NetworkInterface, read_network_interface
from bastion_operator.network.resource_types import NETWORK_INTERFACES, SECURITY_GROUPS, VIRTUAL_MACHINES
from bastion_operator.network.security_group import SecurityGroup, read_security_group
from bastion_operator.network.virtual_machine import VirtualMachine, read_virtual_machine

_FASTEST: Final = 1


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row that was read as it arrived.

    ``kind`` is its type, lower-cased; ``packed`` the whole row, where plans may want to see it: nothing is planned for VMs
    and NICs, and nothing but the fact is kept of them.
    """

    key: str
    kind: str
    fact: VirtualMachine | NetworkInterface | SecurityGroup
    packed: bytes | None = None

    def row(self) -> dict[str, Any] | None:
        """The row as it arrived, where it is kept."""
        return None if self.packed is None else orjson.loads(zlib.decompress(self.packed))


Held = Row | ReadRow
"""A row, or what is kept in its place."""


def hold(row: dict[str, Any]) -> Held:
    """What to keep of a row that Resource Graph answered."""
    kind, row_id = (text(row, "type") or "").lower(), text(row, "id")
    read = _READ.get(kind)
    if row_id is None or read is None:
        return row
    packed = zlib.compress(orjson.dumps(row), _FASTEST) if kind == SECURITY_GROUPS else None
    return ReadRow(normalise_id(row_id), kind, read(row, row_id), packed)


def key_of(held: Held) -> str | None:
    """The lower-cased id; None where there is none."""
    if isinstance(held, ReadRow):
        return held.key
    row_id = text(held, "id")
    return None if row_id is None else normalise_id(row_id)


def row_of(held: Held | None) -> Row | None:
    """The row as it arrived; None where it is not kept."""
    return held.row() if isinstance(held, ReadRow) else held


_READ: Final[Mapping[str, Callable[[Row, str], VirtualMachine | NetworkInterface | SecurityGroup]]] = MappingProxyType(
    {
        VIRTUAL_MACHINES: read_virtual_machine,
        NETWORK_INTERFACES: read_network_interface,
        SECURITY_GROUPS: read_security_group,
    }
)

"""What a security rule may name as source or destination: an address, a prefix without host bits, `*`, a service tag."""

import ipaddress
import re

from arm_emulator.errors import bad_request
from arm_emulator.resource_types.base import Put
from arm_emulator.resource_types.bastion_rules import both
from arm_emulator.service_tags import OF_NETWORKS, SERVICES

_REGIONAL = re.compile(r"(\w+)(?:\.\w+)?", re.ASCII)
"""A service's tag, of one region or of one part of it where it says so: `Storage.WestEurope`, `AzureFrontDoor.Backend`."""
_PREFIX = re.compile(r"[0-9a-fA-F.:]+(?:/[0-9]{1,3})?")


def check(put: Put, field: str) -> None:
    """Raises SecurityRuleInvalidAddressPrefix for a new value that is none of these: what stands may stay."""
    standing = both(put.before, field)
    for value in both(put.properties, field):
        if value not in standing and not _is_address(value) and not _is_tag(value):
            raise bad_request(
                "SecurityRuleInvalidAddressPrefix",
                f"Security rule {put.id} has invalid Address prefix. Value provided: {value}",
            )


def _is_address(value: str) -> bool:
    if _PREFIX.fullmatch(value) is None:
        return value == "*"
    try:
        ipaddress.ip_network(value)
    except ValueError:
        return False
    return True


def _is_tag(value: str) -> bool:
    found = _REGIONAL.fullmatch(value)
    return value.lower() in OF_NETWORKS or (found is not None and found[1].lower() in SERVICES)

"""Which addresses of a subnet machines can have."""

from typing import Final

from bastion_operator.network.prefixes import AddressSet

_RESERVED_AT_START: Final = 4
_RESERVED_AT_END: Final = 1


def usable_addresses(prefix: AddressSet) -> AddressSet:
    """A subnet's addresses without the five that Azure keeps: the first four and the last of each prefix.

    Source: Microsoft Learn, "Azure Virtual Network FAQ" (restrictions on using IP addresses within subnets).
    """
    return AddressSet(
        (first + _RESERVED_AT_START, last - _RESERVED_AT_END)
        for first, last in prefix.intervals
        if last - first >= _RESERVED_AT_START + _RESERVED_AT_END
    )

"""Which addresses of a subnet machines can have."""

from typing import Final

from bastion_operator.network.prefixes import AddressSet, PrefixList

_RESERVED_AT_START: Final = 4
_RESERVED_AT_END: Final = 1


def usable_addresses(prefixes: PrefixList) -> AddressSet:
    """A subnet's addresses without the five that Azure keeps: the first four and the last of each prefix.

    Prefixes that adjoin are no longer one: each has its own five.

    Source: Microsoft Learn, "Azure Virtual Network FAQ" (restrictions on using IP addresses within subnets).
    """
    return AddressSet(
        (first + _RESERVED_AT_START, last - _RESERVED_AT_END)
        for first, last in prefixes.intervals()
        if last - first >= _RESERVED_AT_START + _RESERVED_AT_END
    )

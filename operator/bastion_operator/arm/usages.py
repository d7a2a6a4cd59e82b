"""Azure's own word on the limits of a subscription: Microsoft.Network's usages in a region.

Source: the REST reference "Usages - List" of the network provider.
"""

from dataclasses import dataclass

from bastion_operator.arm.api_versions import NETWORK_API_VERSION
from bastion_operator.arm.client import ArmClient
from bastion_operator.network.fields import Row, number, text


@dataclass(frozen=True, slots=True)
class Usage:
    """How many of something there are and may be in a region of a subscription.

    :ivar name: Azure's name, such as ``PublicIPAddresses``
    :ivar words: the same as Azure says it to people
    :ivar count: how many there are; 0 for limits within one resource, such as ``PeeringsPerVirtualNetwork``
    """

    name: str
    words: str
    count: int
    limit: int


async def network_usages(client: ArmClient, subscription: str, region: str) -> tuple[Usage, ...]:
    """What the network provider counts and limits there; what cannot be read is left out.

    :raises AzureError: if Azure does not say
    """
    target = f"/subscriptions/{subscription}/providers/Microsoft.Network/locations/{region}/usages"
    rows = await client.values(target, api_version=NETWORK_API_VERSION)
    return tuple(usage for usage in map(_read, rows) if usage is not None)


def _read(row: Row) -> Usage | None:
    name, count, limit = text(row, "name", "value"), number(row, "currentValue"), number(row, "limit")
    if name is None or count is None or limit is None:
        return None
    return Usage(name, text(row, "name", "localizedValue") or name, count, limit)

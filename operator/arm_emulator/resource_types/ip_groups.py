"""Microsoft.Network/ipGroups: named lists of addresses."""

from arm_emulator.errors import bad_request
from arm_emulator.operations import Timing
from arm_emulator.resource_types.base import Put, ResourceType
from arm_emulator.resource_types.bodies import default

MOST_ADDRESSES = 5000


class IPGroups(ResourceType):
    """Up to 5,000 addresses, taken as they come: no firewall here asks for them."""

    name = "Microsoft.Network/ipGroups"
    create = Timing(5, (10,))
    delete = Timing(10, (10,))
    read_only = frozenset({"provisioningState", "firewalls", "firewallPolicies"})

    def prepare(self, put: Put) -> None:
        default(put.properties, ipAddresses=[])
        if len(put.properties["ipAddresses"]) > MOST_ADDRESSES:
            raise bad_request("IpGroupTooManyAddresses", f"IP group {put.id} has more than {MOST_ADDRESSES} addresses.")

"""Step 6: private DNS zones that hide the names which Bastion itself has to resolve.

Source: Microsoft Learn, "Azure Bastion FAQ" (can I use Bastion with Azure Private DNS zones).
"""

from collections.abc import Iterator
from typing import Final

from bastion_operator.network.codes import finding
from bastion_operator.network.finding import Finding
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability.host import Host

CONFLICTING_ZONES: Final = frozenset(
    {
        "management.azure.com",
        "azure.com",
        "core.windows.net",
        "blob.core.windows.net",
        "vaultcore.windows.net",
        "vault.azure.net",
    }
)


def zone_findings(inventory: Inventory, host: Host) -> Iterator[Finding]:
    """Zones linked to the host's VNet that are named exactly as Azure's own; privatelink zones are fine."""
    if host.is_developer or host.network_key is None:
        return
    for zone_id in inventory.private_zones.get(host.network_key, ()):
        zone = zone_id.rsplit("/", 1)[-1]
        if zone.lower() in CONFLICTING_ZONES:
            message = (
                f"private DNS zone {zone} is linked to VNet {host.network_name} and hides names that Bastion needs"
            )
            yield finding("PrivateDnsZoneConflict", f"{message}: unlink it, or use privatelink zones", resource=zone_id)

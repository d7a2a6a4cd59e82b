"""Who else keeps peerings: software that would make its own again, recognised by the names that it gives them.

A peering has no tags, so a name and what the network carries are all there is to see. What such software keeps is told
and never taken over, whatever ``adoptionPolicy`` says: two keepers of one link would change it back and forth for ever.

Sources: peerings of Azure Virtual Network Manager are named ``ANM_…``; Cluster API's provider for Azure names a peering
``<network>-To-<remote network>`` and tags the network ``sigs.k8s.io_cluster-api-provider-azure_cluster_<cluster>``.
"""

from typing import Final

from bastion_operator.planning.model import Body
from bastion_operator.planning.ownership import cluster_of
from bastion_operator.planning.peering_link import Link
from bastion_operator.planning.peering_pairs import Half

_NETWORK_MANAGER: Final = "anm_"


def keeper_of(link: Link, half: Half, networks: tuple[Body | None, Body | None]) -> str | None:
    """Who keeps this link, in words, or None. ``networks``: that of the link and the one at its other end."""
    name = link.id.rsplit("/", 1)[-1].lower()
    if name.startswith(_NETWORK_MANAGER):
        return "Azure Virtual Network Manager"
    local, remote = (each.rsplit("/", 1)[-1].lower() for each in (half.local_id, half.remote_id))
    if name == f"{local}-to-{remote}":
        cluster = next(filter(None, map(cluster_of, networks)), None)
        return f"Cluster API (cluster {cluster})" if cluster is not None else None
    return None

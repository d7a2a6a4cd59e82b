"""What the plan of a BastionHost depends on, and the ids of the things that it means."""

from dataclasses import dataclass
from datetime import datetime

from bastion_operator.api.bastion_host import BastionHostSpec
from bastion_operator.api.common import Claim, ManagementPolicy
from bastion_operator.network.arm_id import parse_arm_id
from bastion_operator.planning.bastion_subnet import SUBNET_NAME
from bastion_operator.planning.model import Observed
from bastion_operator.planning.ownership import Owner


@dataclass(frozen=True, slots=True)
class BastionHostIds:
    """The ARM ids that a spec means."""

    virtual_network: str
    subnet: str
    public_ip: str
    host: str
    security_group: str


def bastion_host_ids(name: str, spec: BastionHostSpec) -> BastionHostIds:
    """The ids of the things a BastionHost of this name stands for: in its virtual network's subscription and group.

    ``resourceGroup`` moves host and public IP to another group; the subnet is part of the virtual network.
    """
    network = parse_arm_id(spec.virtual_network_id)
    group = spec.resource_group or network.resource_group
    scope = f"/subscriptions/{network.subscription}/resourceGroups/{group}/providers/Microsoft.Network"
    host_name = spec.azure_name or name
    public_ip = spec.public_ip
    public_ip_name = (public_ip.name if public_ip else None) or f"{host_name}-ip"
    return BastionHostIds(
        virtual_network=spec.virtual_network_id,
        subnet=f"{spec.virtual_network_id}/subnets/{SUBNET_NAME}",
        public_ip=(public_ip.id if public_ip else None) or f"{scope}/publicIPAddresses/{public_ip_name}",
        host=f"{scope}/bastionHosts/{host_name}",
        security_group=f"{scope}/networkSecurityGroups/{host_name[:76]}-nsg",
    )


@dataclass(frozen=True, slots=True)
class BastionHostInput:
    """All that the plan depends on.

    :ivar recreate_failed: the etag of the failed host that may be deleted and made anew, as a person wrote it down
    :ivar allow_plan: the hash of the plan whose many deletions a person has allowed
    """

    owner: Owner
    spec: BastionHostSpec
    ids: BastionHostIds
    claims: tuple[Claim, ...]
    observed: Observed
    now: datetime
    recreate_failed: str | None = None
    allow_plan: str | None = None

    @property
    def watching(self) -> bool:
        """Nothing is written, and nothing is taken over or given up."""
        return self.spec.management_policy is ManagementPolicy.OBSERVE

    @property
    def needs_public_ip(self) -> bool:
        """Whether the host is to have a public IP at all."""
        return not self.spec.features.private_only

    @property
    def public_ip_given(self) -> bool:
        """Whether the public IP is one that the spec names by its id: it is used, and never made, changed or deleted."""
        return self.spec.public_ip is not None and self.spec.public_ip.id is not None

"""What keeps a plan from going on, as findings: each says what to do about it."""

from enum import StrEnum

from bastion_operator.network.finding import Finding, FindingClass


class ObstacleCode(StrEnum):
    """The obstacles that a plan can see before it asks Azure. Azure's own codes stand beside them."""

    VIRTUAL_NETWORK_NOT_FOUND = "VirtualNetworkNotFound"
    SUBNET_PREFIX_MISSING = "SubnetPrefixMissing"
    SUBNET_PREFIX_INVALID = "SubnetPrefixInvalid"
    NO_FREE_PREFIX = "NoFreePrefix"
    SUBNET_DIFFERS = "SubnetDiffers"
    PUBLIC_IP_NOT_FOUND = "PublicIPNotFound"
    NOT_OWNED = "NotOwned"
    ANOTHER_BASTION = "AnotherBastionInVirtualNetwork"
    FIXED_AT_CREATION = "FixedAtCreation"
    DOWNGRADE = "DowngradeNotSupported"
    PROVISIONING_FAILED = "ProvisioningFailed"
    ADDRESS_SPACES_OVERLAP = "VnetAddressSpacesOverlap"
    ANOTHER_PEERING = "AnotherPeeringAlreadyReferencesRemoteVnet"
    # On deletion: what stays, and why.
    KEPT_IN_USE = "KeptInUse"
    KEPT_NOT_OWNED = "KeptNotOwned"
    KEPT_REMOTE_GATEWAYS = "KeptRemoteGateways"


def obstacle(code: ObstacleCode, message: str, resource: str | None) -> Finding:
    """A finding that stops a plan until somebody acts."""
    return Finding(code=code, finding_class=FindingClass.OBSTACLE, message=message, resource=resource)

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
    SUBNET_NAME = "SubnetNameMustBeAzureBastionSubnet"
    SUBNET_TOO_SMALL = "SubnetTooSmall"
    SUBNET_NOT_DEDICATED = "SubnetNotDedicated"
    PUBLIC_IP_NOT_FOUND = "PublicIPNotFound"
    PUBLIC_IP_INVALID = "PublicIPInvalid"
    PUBLIC_IP_IN_USE = "PublicIPAddressInUse"
    NOT_OWNED = "NotOwned"
    HOST_ELSEWHERE = "HostInOtherVirtualNetwork"
    ANOTHER_BASTION = "AnotherBastionInVirtualNetwork"
    FIXED_AT_CREATION = "FixedAtCreation"
    DOWNGRADE = "DowngradeNotSupported"
    DEVELOPER_REGION = "DeveloperRegionUnsupported"
    GROUP_NOT_COMPLIANT = "NetworkSecurityGroupNotCompliantForAzureBastionSubnet"
    RECORDING_EXCLUDES = "SessionRecordingExcludesNativeClient"
    DIAGNOSTICS_IN_THE_WAY = "DiagnosticSettingInTheWay"
    PROVISIONING_FAILED = "ProvisioningFailed"
    ADDRESS_SPACES_OVERLAP = "VnetAddressSpacesOverlap"
    OVERLAPS_WITH_PEER = "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet"
    REMOTE_DISCONNECTED = "RemotePeeringIsDisconnected"
    GATEWAY_NOT_LENT = "GatewayTransitNotAllowed"
    NO_REMOTE_GATEWAY = "RemoteVnetHasNoGateways"
    OWN_GATEWAY = "VnetHasGatewaysAndUsesRemoteGateways"
    OTHER_GATEWAY_USED = "AnotherPeeringUsesRemoteGateways"
    GROUP_NOT_FOUND = "NetworkSecurityGroupNotFound"
    NO_SECURITY_GROUP = "NoNetworkSecurityGroup"
    NO_FREE_PRIORITY = "NoFreePriority"
    DENY_IN_THE_WAY = "SecurityRuleShadowed"
    JUST_IN_TIME = "JustInTimeAccess"
    TOO_MANY_RULES = "TooManySecurityRules"
    SETTINGS_TOO_MANY = "PeeringSettingsNotKept"
    TOO_MANY_PEERINGS = "VirtualNetworkPeeringCountLimitReached"
    STATUS_FULL = "StatusFull"
    CONFLICT = "Conflict"
    PERMISSION_DENIED = "PermissionDenied"
    DELETION_GUARDED = "DeletionGuarded"
    # Told of networks that a spokeSelector found before; they keep nothing from going on.
    LEFT_SELECTOR = "LeftSelector"
    NETWORK_NOT_SHOWN = "NetworkNotShown"
    # On deletion: what stays, and why.
    KEPT_IN_USE = "KeptInUse"
    KEPT_NOT_OWNED = "KeptNotOwned"
    KEPT_REMOTE_GATEWAYS = "KeptRemoteGateways"
    KEPT_NOT_CERTAIN = "KeptNotCertain"


def obstacle(code: ObstacleCode, message: str, resource: str | None) -> Finding:
    """A finding that stops a plan until somebody acts."""
    return Finding(code=code, finding_class=FindingClass.OBSTACLE, message=message, resource=resource)

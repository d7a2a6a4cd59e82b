"""The custom resources of azurebastion.dev/v1beta1 as pydantic models, and the CRDs generated from them."""

from bastion_operator.api.azure_identity import AzureIdentity
from bastion_operator.api.bastion_host import BastionHost
from bastion_operator.api.meta import CustomResource
from bastion_operator.api.reachability_report import ReachabilityReport
from bastion_operator.api.vnet_peering import VNetPeering

KINDS: tuple[type[CustomResource], ...] = (BastionHost, VNetPeering, AzureIdentity, ReachabilityReport)
"""The models of all kinds, in the order in which they are documented."""

__all__ = ["KINDS", "AzureIdentity", "BastionHost", "ReachabilityReport", "VNetPeering"]

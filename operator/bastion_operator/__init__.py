"""bastion-operator: Azure Bastion and virtual network peering as custom resources, with a verdict for each VM."""

__version__ = "0.1.0"

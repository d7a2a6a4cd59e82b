"""Azure Virtual Network Manager: what is deployed where, and what it does to virtual networks.

Rules: https://learn.microsoft.com/azure/virtual-network-manager/concept-deployments
"""

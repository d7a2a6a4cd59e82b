"""Somebody who changes Azure by hand, with Microsoft's own SDK and rights of their own."""

from azure.identity import ClientSecretCredential
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.network.models import SecurityRule, SecurityRulePropertiesFormat

from dev.local_azure import LocalAzure


class Colleague:
    """A person of the network team. Nothing of what they do goes through Kubernetes."""

    def __init__(self, azure: LocalAzure) -> None:
        self._azure = azure
        principal = azure.clients["somebody"]
        self._credential = ClientSecretCredential(
            azure.tenant_id,
            principal.client_id,
            principal.client_secret,
            authority=azure.authority,
            disable_instance_discovery=True,
            connection_verify=azure.ca_file,
        )

    def delete_peering(self, subscription: str, group: str, network: str, name: str) -> None:
        """Delete one half of a link."""
        with self.network(subscription) as client:
            client.virtual_network_peerings.begin_delete(group, network, name).result()

    def deny(
        self,
        subscription: str,
        group: str,
        security_group: str,
        name: str,
        *,
        priority: int,
        port: int,
        source: str = "*",
    ) -> None:
        """Put a Deny in front of everything else."""
        rule = SecurityRule(
            properties=SecurityRulePropertiesFormat(
                priority=priority,
                direction="Inbound",
                access="Deny",
                protocol="Tcp",
                source_address_prefix=source,
                source_port_range="*",
                destination_address_prefix="*",
                destination_port_range=str(port),
            )
        )
        with self.network(subscription) as client:
            client.security_rules.begin_create_or_update(group, security_group, name, rule).result()

    def network(self, subscription: str) -> NetworkManagementClient:
        """The SDK's client for anything else, to be used in a `with` block."""
        endpoint = self._azure.endpoint
        return NetworkManagementClient(
            self._credential,
            subscription,
            base_url=endpoint,
            credential_scopes=[f"{endpoint}/.default"],
            connection_verify=self._azure.ca_file,
            polling_interval=1,
        )

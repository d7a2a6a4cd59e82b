"""The resource providers that the local Azure has."""

from collections.abc import Sequence
from dataclasses import dataclass

from arm_emulator.resource_types.versions import (
    COMPUTE,
    DIAGNOSTIC_SETTINGS,
    MANAGEMENT_GROUPS,
    NETWORK,
    RESOURCES,
    ROLES,
    WORKSPACES,
)


@dataclass(frozen=True, slots=True)
class Provider:
    """A namespace as Azure spells it, and the api-versions of those of its types that are kept without being known."""

    namespace: str
    api_versions: Sequence[str]
    free: bool = False
    """Whether every subscription has it without being registered for it."""


PROVIDERS = {
    provider.namespace.lower(): provider
    for provider in (
        Provider("Microsoft.Authorization", ROLES, free=True),
        Provider("Microsoft.Compute", COMPUTE),
        Provider("Microsoft.Insights", DIAGNOSTIC_SETTINGS),
        Provider("Microsoft.Management", MANAGEMENT_GROUPS, free=True),
        Provider("Microsoft.Network", NETWORK),
        Provider("Microsoft.OperationalInsights", WORKSPACES),
        Provider("Microsoft.Resources", RESOURCES, free=True),
    )
}


def spelt_namespace(namespace: str) -> str:
    """The namespace as Azure spells it; as it came where nobody knows it."""
    provider = PROVIDERS.get(namespace.lower())
    return namespace if provider is None else provider.namespace

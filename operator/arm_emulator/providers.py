"""The resource providers that the local Azure has."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Provider:
    """A namespace as Azure spells it."""

    namespace: str
    regional: bool = False
    """Whether its types lie in regions, or are `global`, and ARM looks for a place that takes a request."""
    free: bool = False
    """Whether every subscription has it without being registered for it."""


PROVIDERS = {
    provider.namespace.lower(): provider
    for provider in (
        Provider("Microsoft.Authorization", free=True),
        Provider("Microsoft.Compute", regional=True),
        Provider("Microsoft.Insights"),
        Provider("Microsoft.Management", free=True),
        Provider("Microsoft.Network", regional=True),
        Provider("Microsoft.OperationalInsights", regional=True),
        Provider("Microsoft.ResourceGraph", free=True),
        Provider("Microsoft.Resources", free=True),
    )
}


def spelt_namespace(namespace: str) -> str:
    """The namespace as Azure spells it; as it came where nobody knows it."""
    provider = PROVIDERS.get(namespace.lower())
    return namespace if provider is None else provider.namespace

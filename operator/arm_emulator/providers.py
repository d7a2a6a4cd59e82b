"""The resource providers that the local Azure has."""

from collections.abc import Sequence
from dataclasses import dataclass

from arm_emulator.resource_types.versions import COMPUTE, NETWORK, RESOURCES


@dataclass(frozen=True, slots=True)
class Provider:
    """A namespace as Azure spells it, and the api-versions of those of its types that are kept without being known."""

    namespace: str
    api_versions: Sequence[str]


PROVIDERS = {
    provider.namespace.lower(): provider
    for provider in (
        Provider("Microsoft.Network", NETWORK),
        Provider("Microsoft.Compute", COMPUTE),
        Provider("Microsoft.Resources", RESOURCES),
    )
}


def spelt_namespace(namespace: str) -> str:
    """The namespace as Azure spells it; as it came where nobody knows it."""
    provider = PROVIDERS.get(namespace.lower())
    return namespace if provider is None else provider.namespace

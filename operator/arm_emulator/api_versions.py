"""Whether an api-version is one that a resource type takes, and how ARM refuses those that are not.

Which answer comes where is seen in public reports. ARM's own paths: InvalidApiVersionParameter. Types that lie in regions, and
their children: NoRegisteredProviderFound with the resource's location (Azure/azure-cli#28496 and #26863). Types without
locations: InvalidResourceType, 404 (Azure/bicep#17089, microsoft/ARI#306, Azure/acs-engine#4037). What a version looks like makes
no difference (Azure/azure-cli#27010, Azure/azure-xplat-cli#1976).
"""

from collections.abc import Callable, Sequence

from arm_emulator.errors import ArmError, bad_request, not_found
from arm_emulator.ids import GROUP_TYPE, SUBSCRIPTION_TYPE
from arm_emulator.providers import PROVIDERS
from arm_emulator.regions import REGIONS
from arm_emulator.resource_types.versions import versions_of

ARM = "Microsoft.Resources"
"""The type of what ARM answers itself and has no type of its own."""
_OWN = {ARM, GROUP_TYPE, SUBSCRIPTION_TYPE}
_GLOBAL = "microsoft.network/privatednszones"


def check(kind: str, api_version: str | None, location: Callable[[], str]) -> str:
    """The api-version, where the type takes it; `location` is asked for where it does not. Raises ArmError."""
    if not api_version:
        raise bad_request(
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    versions = versions_of(kind)
    if api_version in versions:
        return api_version
    if kind in _OWN:
        raise bad_request(
            "InvalidApiVersionParameter",
            f"The api-version '{api_version}' is invalid. The supported versions are '{','.join(versions)}'.",
        )
    provider = PROVIDERS.get(kind.partition("/")[0].lower())
    if provider is None:
        raise not_found("InvalidResourceNamespace", f"The resource namespace '{kind.partition('/')[0]}' is invalid.")
    if not versions:
        raise unknown_type(kind, api_version)
    if provider.regional:
        raise _not_registered(kind, api_version, sorted(versions), location())
    raise _without_version(kind, api_version, sorted(versions))


def unknown_type(kind: str, api_version: str) -> ArmError:
    """404 for a type that its provider does not have."""
    namespace = kind.partition("/")[0]
    return not_found(
        "InvalidResourceType",
        f"The resource type could not be found in the namespace '{namespace}' for api version '{api_version}'.",
    )


def _without_version(kind: str, api_version: str, versions: Sequence[str]) -> ArmError:
    namespace, _, name = kind.partition("/")
    return not_found(
        "InvalidResourceType",
        f"The resource type '{name}' could not be found in the namespace '{namespace}' for api version '{api_version}'. "
        f"The supported api-versions are '{','.join(versions)}'.",
    )


def _not_registered(kind: str, api_version: str, versions: Sequence[str], location: str) -> ArmError:
    locations = ["global"] if kind.lower().startswith(_GLOBAL) else list(REGIONS)
    return bad_request(
        "NoRegisteredProviderFound",
        f"No registered resource provider found for location '{location}' and API version '{api_version}' for type "
        f"'{kind.partition('/')[2]}'. The supported api-versions are '{', '.join(versions)}'. The supported locations are "
        f"'{', '.join(locations)}'.",
    )

"""What each SKU of Azure Bastion can do, as data, with the fields of the ARM resource that switch it on.

Source: Microsoft Learn, "Choose the right Azure Bastion SKU" and "About Bastion configuration settings".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Sku(StrEnum):
    """The SKUs, lowest first. Azure upgrades in place and refuses to downgrade."""

    DEVELOPER = "Developer"
    BASIC = "Basic"
    STANDARD = "Standard"
    PREMIUM = "Premium"

    @property
    def rank(self) -> int:
        """The place in the order of upgrades, 0 for Developer."""
        return list(Sku).index(self)


DEFAULT_SKU: Final = Sku.BASIC
"""What Azure makes of a host without a SKU."""

DEFAULT_SCALE_UNITS: Final = 2

_ANY: Final = frozenset(Sku)
_DEDICATED: Final = frozenset({Sku.BASIC, Sku.STANDARD, Sku.PREMIUM})
_STANDARD: Final = frozenset({Sku.STANDARD, Sku.PREMIUM})
_PREMIUM: Final = frozenset({Sku.PREMIUM})


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature, the SKUs that have it, and the path under the resource (``properties.`` left out) that carries it.

    ``inverted``: the ARM field being true switches the named thing off.
    """

    name: str
    skus: frozenset[Sku]
    arm_field: str | None = None
    inverted: bool = False


FEATURES: Final[Mapping[str, Feature]] = MappingProxyType(
    {
        feature.name: feature
        for feature in (
            Feature("subnet", _DEDICATED, "ipConfigurations"),
            Feature("publicIP", _DEDICATED, "ipConfigurations"),
            Feature("peeredVirtualNetworks", _DEDICATED),
            Feature("scaling", _STANDARD, "scaleUnits"),
            Feature("nativeClient", _STANDARD, "enableTunneling"),
            Feature("fileCopy", _STANDARD, "enableFileCopy"),
            Feature("ipConnect", _STANDARD, "enableIpConnect"),
            Feature("shareableLink", _STANDARD, "enableShareableLink"),
            Feature("copyPaste", _STANDARD, "disableCopyPaste", inverted=True),
            Feature("anyProtocolAndPort", _STANDARD),
            Feature("kerberos", _DEDICATED, "enableKerberos"),
            Feature("sessionRecording", _PREMIUM, "enableSessionRecording"),
            Feature("privateOnly", _PREMIUM, "enablePrivateOnlyBastion"),
            Feature("keyVaultSshKey", _ANY),
            Feature("entraSignIn", _DEDICATED),
            Feature("zones", _ANY, "zones"),
            Feature("ipAllowList", frozenset({Sku.DEVELOPER}), "networkAcls"),
        )
    }
)


@dataclass(frozen=True, slots=True)
class Capacity:
    """Scale units (instances) that a SKU allows, and the sessions that one instance carries."""

    fewest_units: int
    most_units: int
    rdp_sessions: int
    ssh_sessions: int


CAPACITY: Final[Mapping[Sku, Capacity]] = MappingProxyType(
    {
        Sku.DEVELOPER: Capacity(1, 1, 1, 1),
        Sku.BASIC: Capacity(2, 2, 20, 40),
        Sku.STANDARD: Capacity(2, 50, 20, 40),
        Sku.PREMIUM: Capacity(2, 50, 20, 40),
    }
)


def parse_sku(name: str | None) -> Sku | None:
    """The SKU of that name in any case; Basic for none (Azure's default); None for a name that is no SKU."""
    if name is None:
        return DEFAULT_SKU
    return next((sku for sku in Sku if sku.value.lower() == name.strip().lower()), None)


def supports(sku: Sku, feature: str) -> bool:
    """Whether the SKU has the feature. Raises KeyError for a feature that is not in the table."""
    return sku in FEATURES[feature].skus


def lowest_sku(feature: str) -> Sku:
    """The lowest SKU that has the feature. Raises KeyError for a feature that is not in the table."""
    return min(FEATURES[feature].skus, key=lambda sku: sku.rank)

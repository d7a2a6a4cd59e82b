"""The fields of a host that a spec names, what Azure fixes at creation, and where an existing host stands.

Sources: Microsoft's pages "Bastion configuration settings" and "Choose a SKU"; recorded traffic for the bodies.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from bastion_operator.api.bastion_host import BastionHostSpec
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.sku import DEFAULT_SCALE_UNITS, DEFAULT_SKU, FEATURES, Sku, parse_sku
from bastion_operator.planning.bastion_input import BastionHostInput
from bastion_operator.planning.bastion_record import PRIVATE_ONLY, PUBLIC_IP, ZONES
from bastion_operator.planning.body import Named, children, properties, referenced_id
from bastion_operator.planning.model import Body, Difference, root_of
from bastion_operator.planning.ownership import asked_tags

# What Azure makes of a host that leaves them out.
DEFAULTS: Final[Named] = MappingProxyType(
    {("sku", "name"): DEFAULT_SKU.value, ("properties", "scaleUnits"): DEFAULT_SCALE_UNITS}
)
_FIXED_FEATURES: Final = frozenset({"privateOnly"})


def fields_at_creation(spec: BastionHostSpec) -> Named:
    """The fields of a new host's body that the spec names, tags aside."""
    named: dict[tuple[str, ...], Any] = {}
    if spec.sku is not None:
        named["sku", "name"] = spec.sku.value
    if spec.scale_units is not None:
        named["properties", "scaleUnits"] = spec.scale_units
    return {**named, **_features(spec, frozenset(FEATURES))}


def fields_to_keep(spec: BastionHostSpec) -> Named:
    """The fields that are kept as the spec names them; what it leaves out is neither compared nor changed."""
    named = {
        path: value for path, value in fields_at_creation(spec).items() if path not in _features(spec, _FIXED_FEATURES)
    }
    return {**named, **{("tags", name): value for name, value in asked_tags(spec.tags).items()}}


def _features(spec: BastionHostSpec, names: frozenset[str]) -> Named:
    asked: Mapping[str, bool] = spec.features.to_json()
    return {
        ("properties", field): wanted is not FEATURES[name].inverted
        for name, wanted in asked.items()
        if name in names and (field := FEATURES[name].arm_field) is not None
    }


def sku_of(host: Body) -> Sku | None:
    """The host's SKU; Basic where it shows none, None where it shows one that is not known here."""
    sku = host.get("sku")
    return parse_sku(sku.get("name") if isinstance(sku, Mapping) else None)


def is_developer(host: Body) -> bool:
    """Whether the host is of the shared SKU, which has no subnet and no public IP."""
    return sku_of(host) is Sku.DEVELOPER


def network_of_host(host: Body) -> str:
    """The normalised id of the virtual network in which the host stands, empty where its body does not tell."""
    subnet = _configured(host, "subnet")
    return normalise_id(root_of(subnet)) if subnet else referenced_id(properties(host).get("virtualNetwork"))


def address_of_host(host: Body) -> str | None:
    """The id of the host's public IP as Azure spells it, or None."""
    for configuration in children(host, "ipConfigurations"):
        reference = properties(configuration).get("publicIPAddress")
        if isinstance(reference, Mapping) and isinstance(reference.get("id"), str):
            return str(reference["id"])
    return None


def fixed_differences(asked: BastionHostInput, host: Body) -> tuple[Difference, ...]:
    """What the spec names, the host has otherwise and Azure never changes on a host that stands."""
    spec, found = asked.spec, []
    if spec.features.private_only is not None:
        before = bool(properties(host).get("enablePrivateOnlyBastion"))
        found.append(Difference(PRIVATE_ONLY, before, spec.features.private_only))
    if spec.zones is not None:
        found.append(Difference(ZONES, _listed(host.get("zones")), _listed(spec.zones)))
    address = address_of_host(host)
    if (
        spec.public_ip is not None
        and address is not None
        and normalise_id(address) != normalise_id(asked.ids.public_ip)
    ):
        found.append(Difference(PUBLIC_IP, address, asked.ids.public_ip))
    return tuple(each for each in found if each.before != each.after)


def _configured(host: Body, relation: str) -> str:
    references = (referenced_id(properties(each).get(relation)) for each in children(host, "ipConfigurations"))
    return next((each for each in references if each), "")


def _listed(zones: Any) -> str:
    return ", ".join(sorted(map(str, zones or ()))) or "none"

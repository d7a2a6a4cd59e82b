"""A BastionHost for each Bastion that stands."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from bastion_operator.api.bastion_host import BastionHost, BastionHostSpec
from bastion_operator.api.model import first_error
from bastion_operator.network.arm_id import ArmIdError, parse_arm_id
from bastion_operator.network.bastion_host import BastionHost as StandingHost
from bastion_operator.network.fields import Row, at, texts
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.sku import FEATURES, Sku, supports
from bastion_operator.planning.bastion_host import plan_bastion_host
from bastion_operator.planning.bastion_input import BastionHostInput, bastion_host_ids
from bastion_operator.planning.estate import Estate
from bastion_operator.planning.importing.model import Imported, LeftOut, Names, Placement, manifest
from bastion_operator.planning.ownership import Owner, owner_of

_KIND = "BastionHost"


def import_hosts(
    inventory: Inventory, estate: Estate, placement: Placement, names: Names, now: datetime
) -> Iterator[Imported | LeftOut]:
    """One for each, by id; of what is kept already, or cannot be named, why not."""
    for _, host in sorted(inventory.bastions.items()):
        row = inventory.row(host.id) or {}
        owner = owner_of(row)
        if owner is not None:
            yield LeftOut(host.id, f"the BastionHost {owner} keeps it already")
        elif host.virtual_network_id is None:
            yield LeftOut(host.id, "it does not say in which virtual network it stands")
        elif host.sku is None:
            yield LeftOut(host.id, f"its SKU {host.sku_name} is none that this version knows")
        else:
            yield _imported(host, row, estate, placement, names, now)


def _imported(
    host: StandingHost, row: Row, estate: Estate, placement: Placement, names: Names, now: datetime
) -> Imported | LeftOut:
    try:
        spec = _spec(host, row)
        name = names.give(_KIND, host.name)
        made = manifest(_KIND, name, placement, spec)
        resource = BastionHost.model_validate(made)
    except ValidationError as error:
        return LeftOut(host.id, f"no custom resource can name it, {first_error(error)}")
    except ArmIdError as error:
        return LeftOut(host.id, str(error))
    managed = BastionHostSpec.model_validate({**made["spec"], "managementPolicy": "Manage"})
    owner = Owner("", placement.namespace or "", name, "")
    ids = bastion_host_ids(resource.metadata.name, managed)
    plan = plan_bastion_host(BastionHostInput(owner, managed, ids, (), estate, now))
    return Imported(made, plan.changes, plan.obstacles)


def _spec(host: StandingHost, row: Row) -> dict[str, Any]:
    """What the host is, in the fields of a spec. Tags are left to whoever set them."""
    assert host.sku is not None
    assert host.virtual_network_id is not None
    spec: dict[str, Any] = {"virtualNetworkID": host.virtual_network_id}
    own, network = parse_arm_id(host.id), parse_arm_id(host.virtual_network_id)
    if (own.resource_group or "").lower() != (network.resource_group or "").lower():
        spec["resourceGroup"] = own.resource_group
    spec |= {"azureName": host.name, "sku": host.sku.value}
    if host.sku is not Sku.DEVELOPER:
        spec |= _dedicated(host, row)
    features = _features(host.sku, row)
    return spec | ({"features": features} if features else {})


def _dedicated(host: StandingHost, row: Row) -> dict[str, Any]:
    """What only a host of its own has."""
    assert host.sku is not None
    found: dict[str, Any] = {}
    if supports(host.sku, "scaling"):
        found["scaleUnits"] = host.scale_units
    if zones := texts(row, "zones"):
        found["zones"] = sorted(zones)
    if host.public_ip_id is not None and not host.private_only:
        # By its id it is used as it is: never made, changed or deleted.
        found["publicIP"] = {"id": host.public_ip_id}
    return found


def _features(sku: Sku, row: Row) -> dict[str, bool]:
    """The features that are set on the host, and that its SKU has."""
    found: dict[str, bool] = {}
    for feature in FEATURES.values():
        value = at(row, "properties", feature.arm_field) if feature.arm_field is not None else None
        if isinstance(value, bool) and sku in feature.skus:
            found[feature.name] = value is not feature.inverted
    if found.get("sessionRecording") and found.get("nativeClient"):
        # Azure excludes the two, and so does the schema: what is on beside it is left as it is.
        del found["nativeClient"]
    return found

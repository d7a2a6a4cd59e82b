"""What a team's repository holds: the example of a hub and its spokes, file by file."""

from typing import Any

import yaml

from tests.support.lab import ROOT, Lab, Manifest, example


def identity(lab: Lab) -> list[Manifest]:
    """The example's identity, with the ids that the local Azure has."""
    found: Manifest = yaml.safe_load((ROOT / "examples" / "azure-identity.yaml").read_text())
    found["spec"] |= {"tenantID": lab.azure.tenant_id, "clientID": lab.azure.clients["operator"].client_id}
    return [found]


def hosts(**spec: Any) -> list[Manifest]:
    """The hub's BastionHost with these fields in its spec, and the one that observes the same host."""
    hub, desktops = example("bastion-host.yaml")
    hub["spec"] |= spec
    return [hub, desktops]


def peering() -> list[Manifest]:
    """The hub with its three spokes."""
    return example("vnet-peering.yaml")

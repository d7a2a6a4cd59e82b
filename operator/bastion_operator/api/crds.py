"""The CustomResourceDefinitions of all kinds."""

from typing import Any

import yaml

from bastion_operator.api import KINDS
from bastion_operator.api.meta import CATEGORY, GROUP, VERSION, CustomResource
from bastion_operator.api.schema import structural_schema


def custom_resource_definition(kind: type[CustomResource]) -> dict[str, Any]:
    """The CustomResourceDefinition of a kind as the object that the API server takes."""
    names = kind.names
    version: dict[str, Any] = {
        "name": VERSION,
        "served": True,
        "storage": True,
        **({"subresources": {"status": {}}} if names.status else {}),
        "additionalPrinterColumns": [column.schema() for column in names.columns],
        "schema": {"openAPIV3Schema": structural_schema(kind)},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": names.crd},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": names.kind,
                "listKind": f"{names.kind}List",
                "plural": names.plural,
                "singular": names.kind.lower(),
                "shortNames": [names.short],
                "categories": [CATEGORY],
            },
            "scope": names.scope,
            "versions": [version],
        },
    }


def render_crd(kind: type[CustomResource]) -> str:
    """The CustomResourceDefinition of a kind as one YAML document."""
    definition = custom_resource_definition(kind)
    return yaml.dump(definition, Dumper=_Plain, sort_keys=False, width=120, allow_unicode=True)


def render_crds() -> str:
    """All CustomResourceDefinitions as YAML documents in one text, for ``kubectl apply --server-side -f -``."""
    return "---\n".join(render_crd(kind) for kind in KINDS)


class _Plain(yaml.SafeDumper):
    """Writes out what occurs twice: anchors are legal YAML, but not every reader of CRDs follows them."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True

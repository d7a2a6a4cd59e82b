"""The fields of a spec that hold an id, found in the CRDs, so that a test of all of them needs no list of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CRDS = Path(__file__).parents[2] / "crds"
Manifest = dict[str, Any]
Path_ = tuple[str, ...]
# An id by its name that leads to nothing in a subscription.
NO_PLACE = {"spec.access.principals[].objectID": "an object in Entra, compared with what role assignments name"}
_ITEM = "[]"


@dataclass(frozen=True, slots=True)
class IdField:
    """A field that holds ids of Azure.

    :ivar path: names from the object's root; ``[]`` stands for the items of a list
    :ivar subscription: whether it holds subscriptions' own ids and not those of resources
    """

    kind: str
    path: Path_
    subscription: bool

    def __str__(self) -> str:
        return f"{self.kind}.{dotted(self.path)}"

    def changed(self, manifest: Manifest, value: str) -> Manifest:
        """The manifest with another id there: of a list the last item is changed. Raises KeyError where it is not set."""
        return dict(_changed(manifest, self.path, value))

    def value(self, manifest: Manifest) -> str:
        """What the manifest has there. Raises KeyError where it is not set."""
        found: Any = manifest
        for part in self.path:
            found = found[-1] if part == _ITEM else found[part]
        return str(found)


def dotted(path: Path_) -> str:
    """``spec.spokes[].virtualNetworkID``."""
    return ".".join(path).replace(f".{_ITEM}", _ITEM)


def id_fields(kind: str) -> list[IdField]:
    """Every field of a kind's spec that holds an id: by its rule, which names ``/subscriptions/``, or by its name."""
    schema = _schema(kind)["properties"]["spec"]
    return [
        IdField(kind, path, subscription="/subscriptions/" not in rules)
        for path, rules in _texts(schema, ("spec",))
        if "/subscriptions/" in rules or _named_as_id(path)
    ]


def _named_as_id(path: Path_) -> bool:
    name = next(part for part in reversed(path) if part != _ITEM)
    named = name in {"id", "subscription", "subscriptions"} or name.endswith(("ID", "IDs"))
    return named and dotted(path) not in NO_PLACE


def _schema(kind: str) -> Manifest:
    for file in CRDS.glob("azurebastion.dev_*.yaml"):
        crd = yaml.safe_load(file.read_text())
        if crd["spec"]["names"]["kind"] == kind:
            (version,) = crd["spec"]["versions"]
            found: Manifest = version["schema"]["openAPIV3Schema"]
            return found
    raise KeyError(kind)


def _texts(schema: Manifest, path: Path_) -> Iterator[tuple[Path_, str]]:
    """Every text below a schema, with its rules in one string."""
    if schema.get("type") == "string":
        yield path, " ".join([schema.get("pattern", ""), *(r["rule"] for r in schema.get(_RULES, []))])
    for name, each in schema.get("properties", {}).items():
        yield from _texts(each, (*path, name))
    if "items" in schema:
        yield from _texts(schema["items"], (*path, _ITEM))


_RULES = "x-kubernetes-validations"


def _changed(node: Any, path: Path_, value: str) -> Any:
    if not path:
        return value
    first, *rest = path
    if first == _ITEM:
        return [*node[:-1], _changed(node[-1], tuple(rest), value)]
    return {**node, first: _changed(node[first], tuple(rest), value)}

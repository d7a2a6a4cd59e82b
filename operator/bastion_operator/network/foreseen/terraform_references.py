"""References between the resources of a Terraform plan: ids that are known only after apply, told by what they refer to.

Source: HashiCorp's page "JSON Output Format": ``configuration`` has the expression of each argument with the addresses that
it refers to; in a module they are relative to it, and ``var.`` and ``module.`` lead out of it and into another.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bastion_operator.network.fields import Row, mapping, objects, text

_MODULE: Final = re.compile(r"module\.([^.\[]+)(?:\[([^\]]*)\])?\.?")
_RESOURCE: Final = re.compile(r"((?:data\.)?[a-z0-9]+_[a-z0-9_]+\.[A-Za-z0-9_-]+)(?:\[([^\]]*)\])?")
_OUTPUT: Final = re.compile(r"([^.\[]+)(?:\[([^\]]*)\])?")
_DEEPEST: Final = 20
_TYPES: Final = {
    argument: re.compile(f"/{kind}/[^/]+$", re.IGNORECASE)
    for argument, kind in (
        ("subnet_id", "virtualNetworks/[^/]+/subnets"),
        ("remote_virtual_network_id", "virtualNetworks"),
        ("virtual_network_id", "virtualNetworks"),
        ("network_security_group_id", "networkSecurityGroups"),
        ("security_group", "networkSecurityGroups"),
        ("route_table_id", "routeTables"),
        ("public_ip_address_id", "publicIPAddresses"),
        ("network_interface_id", "networkInterfaces"),
        ("application_security_group_id", "applicationSecurityGroups"),
    )
}
"""The types of what an argument takes, in the singular."""
Path = tuple[tuple[str, str | None], ...]
"""Modules from the root, each with the index of its instance as it is written in addresses."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a resource of the plan stands."""

    modules: Path
    name: str
    index: str | None


def place_of(change: Row) -> Place:
    """The place of an entry of ``resource_changes``."""
    modules = tuple((each[1], each[2]) for each in _MODULE.finditer(text(change, "module_address") or ""))
    index = change.get("index")
    shown = f'"{index}"' if isinstance(index, str) else None if index is None else str(index)
    data = "data." if change.get("mode") == "data" else ""
    return Place(modules, f"{data}{change.get('type')}.{change.get('name')}", shown)


class References:
    """The ids of the plan's resources, by place."""

    def __init__(self, plan: Row, ids: Mapping[Place, str]) -> None:
        self._root = mapping(plan, "configuration", "root_module")
        self._ids: dict[tuple[Path, str], dict[str | None, str]] = {}
        for place, resource_id in ids.items():
            self._ids.setdefault((place.modules, place.name), {})[place.index] = resource_id

    def completed(self, place: Place, values: Row, unknown: Any) -> Row:
        """The values with the ids of what the arguments refer to in place of those known only after apply.

        An argument whose name ends in ``_ids`` is a list. What could be one of several resources (a condition), or is of
        another type than the argument takes, stays absent: it cannot be told.
        """
        return self._completed(place, values, unknown, mapping(self.configuration(place), "expressions"))

    def _completed(self, place: Place, values: Row, unknown: Any, expressions: Any) -> Row:
        found: dict[str, Any] = dict(values)
        for name, missing in unknown.items() if isinstance(unknown, dict) else ():
            expression = expressions.get(name) if isinstance(expressions, dict) else None
            if missing is True or (isinstance(missing, list) and any(each is True for each in missing)):
                ids = self._fitting(name, place, expression)
                wanted = len(missing) if isinstance(missing, list) else 1
                found.pop(name, None)
                if len(ids) == wanted:
                    found[name] = ids if name.endswith("_ids") else ids[0]
            elif isinstance(missing, list) and isinstance(found.get(name), list):
                blocks = expression if isinstance(expression, list) else []
                found[name] = [
                    self._completed(place, value, missing[number], blocks[number] if number < len(blocks) else None)
                    if isinstance(value, dict) and number < len(missing)
                    else value
                    for number, value in enumerate(found[name])
                ]
        return found

    def _fitting(self, argument: str, place: Place, expression: Any) -> list[str]:
        """The ids that an argument refers to, each once, of the type that it takes."""
        ids = dict.fromkeys(self._resolved(place.modules, place.index, expression, _DEEPEST))
        wanted = _TYPES.get(argument.removesuffix("s"))
        return [each for each in ids if wanted is None or wanted.search(each)]

    def untold(self, place: Place, completed: Row, unknown: Any) -> list[str]:
        """The arguments that are written in the configuration and known only after apply, those aside that were told.

        What is unknown and written nowhere is Azure's to choose.
        """
        return list(_untold(completed, unknown, mapping(self.configuration(place), "expressions")))

    def configuration(self, place: Place) -> Row:
        """The resource as it is written in the configuration; empty where the plan does not hold it."""
        module = self._module(place.modules)
        return next((each for each in objects(module, "resources") if each.get("address") == place.name), {})

    def _module(self, path: Path) -> Row:
        module = self._root
        for name, _ in path:
            module = mapping(module, "module_calls", name, "module")
        return module

    def _resolved(self, modules: Path, index: str | None, expression: Any, depth: int) -> Iterator[str]:
        """The ids that an expression in a module refers to, in the order in which it names them."""
        listed = expression.get("references") if isinstance(expression, dict) else None
        for reference in listed if isinstance(listed, list) and depth else ():
            yield from self._referred(modules, index, str(reference), depth)

    def _referred(self, modules: Path, index: str | None, reference: str, depth: int) -> Iterator[str]:
        first, _, rest = reference.partition(".")
        if first == "var" and modules:
            call = mapping(
                self._module(modules[:-1]), "module_calls", modules[-1][0], "expressions", rest.split(".")[0]
            )
            yield from self._resolved(modules[:-1], modules[-1][1], call, depth - 1)
        elif (inner := _MODULE.match(reference)) is not None:
            output = _OUTPUT.match(reference[inner.end() :])
            if output is not None:
                path = (*modules, (inner[1], inner[2]))
                expression = mapping(self._module(path), "outputs", output[1], "expression")
                # An output that is a map of instances: the key says which.
                yield from self._resolved(path, output[2], expression, depth - 1)
        elif (found := _RESOURCE.match(reference)) is not None:
            yield from self._of_resource(modules, found[1], found[2], index)

    def _of_resource(self, modules: Path, name: str, index: str | None, own_index: str | None) -> Iterator[str]:
        """The instance that is meant: the one named, the one with the same index as who refers to it, or the only one."""
        instances = self._ids.get((modules, name), {})
        if index in instances:
            yield instances[index]
        elif index in {None, "each.key", "count.index"} and own_index in instances:
            yield instances[own_index]
        elif len(instances) == 1:
            yield from instances.values()


def _untold(values: Any, unknown: Any, expressions: Any) -> Iterator[str]:
    if not isinstance(unknown, dict) or not isinstance(expressions, dict):
        return
    for name, missing in unknown.items():
        if name not in expressions or not _anything(missing):
            continue
        value, written = values.get(name) if isinstance(values, dict) else None, expressions[name]
        if missing is True or not isinstance(written, list):
            if value is None or not _told(missing):
                yield name
        elif isinstance(missing, list):
            for number, block in enumerate(missing):
                inner = value[number] if isinstance(value, list) and number < len(value) else None
                yield from _untold(inner, block, written[number] if number < len(written) else written[-1])


def _anything(missing: Any) -> bool:
    """Whether anything is unknown: false and empty parts stand for what is known."""
    if isinstance(missing, dict):
        return any(map(_anything, missing.values()))
    return any(map(_anything, missing)) if isinstance(missing, list) else missing is True


def _told(missing: Any) -> bool:
    """Whether what is unknown is of a kind that references can tell: one id, or a list of ids."""
    return missing is True or (
        isinstance(missing, list) and not any(isinstance(each, (dict, list)) for each in missing)
    )

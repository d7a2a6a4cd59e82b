"""Every resource type through the unmodified SDK that it belongs to, synchronous and asynchronous, by one table."""

from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.serialization import as_attribute_dict, attribute_list, is_generated_model

from arm_emulator.resource_types import TYPES
from dev.local_azure import LocalAzure
from tests.component.arm_emulator.conftest import started
from tests.component.arm_emulator.sdk_types.every_type import NOT_WRITTEN, ROWS
from tests.component.arm_emulator.sdk_types.place import Place
from tests.component.arm_emulator.sdk_types.row import Row, merged
from tests.support.sdk import Listed, Sdk, code


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAzure]:
    """Ten minutes of Azure take about as long as a poll; a page holds one entry."""
    yield from started(tmp_path_factory, "--page-size=1", speed=20_000)


@pytest.fixture(scope="module")
def place(sdk: Sdk) -> Place:
    return Place(sdk)


RECORDED_ONLY = {
    "Microsoft.Network/natGateways": {"flowlogs", "scope", "tier"},
    "Microsoft.Network/networkInterfaces": {"allowPort25Out", "kind"},
    "Microsoft.Network/virtualHubs/hubVirtualNetworkConnections": {"type"},
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings": {"routeServiceVips"},
}
"""Members that Azure answers, by type, though no published shape has them."""


class One:
    """One resource of a row's type, as its SDK works with it."""

    def __init__(self, place: Place, row: Row, number: int) -> None:
        self.place, self.row, self.number = place, row, number
        self.name = place.filled(row.names[number - 1])
        self.path = self.filled(row.path)

    def filled(self, value: Any) -> Any:
        return self.place.filled(value, self.number, self.name)

    def put(self, change: Any = None, **options: Any) -> Any:
        body = merged(self.row.body, change or {})
        return self.place.put(self.row, self.number, self.name, body, **self.row.options, **options)

    def put_back(self, model: Any) -> Any:
        """A PUT of what was read, as programs do that change one field of it."""
        return self.place.put(self.row, self.number, self.name, model, **self.row.options)

    def get(self) -> Any:
        return self.place.method(self.row, "get")(*self.path, **self.row.options)

    def delete(self) -> Any:
        return self.place.method(self.row, "delete")(*self.path, **self.row.options)

    def check(self, model: Any, shown: Any) -> None:
        """Name, type and id, the state of rest, what the row says, and that the SDK's model knows all that is told."""
        assert model.name == self.name
        assert getattr(model, "type", self.row.type).lower() == self.row.type.lower()
        assert model.id.lower().endswith(f"/{self.name}".lower())
        expected = {self.filled(path): self.filled(value) for path, value in shown.items()}
        assert {path: attribute(model, path) for path in expected} == expected
        assert getattr(getattr(model, "properties", model), "provisioning_state", None) in (None, "Succeeded")
        assert unpublished(model) <= RECORDED_ONLY.get(self.row.type, set())


def attribute(model: Any, path: str) -> Any:
    """The value at a path of attributes and positions."""
    for name in path.split("."):
        model = model[int(name)] if name.isdigit() else model[name] if type(model) is dict else getattr(model, name)
    return model


def unpublished(model: Any) -> set[str]:
    """Members of an answer that the SDK's models do not have; every other one is read on the way, as its type."""
    if isinstance(model, list):
        return set().union(*map(unpublished, model))
    if not is_generated_model(model):
        return set()
    names = set(attribute_list(model))
    inside = (unpublished(getattr(model, name)) for name in names)
    return (set(as_attribute_dict(model)) - names).union(*inside)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.type)
def test_a_type_through_its_sdk(place: Place, row: Row) -> None:
    with place.whole():
        place.stand(row.needs)
        check_type([One(place, row, number + 1) for number, _ in enumerate(row.names)])


def check_type(ones: list[One]) -> None:
    row = ones[0].row
    for one in ones:
        made = one.put()
        one.check(made, row.shown)
        assert one.get() == made
    check_lists(ones)
    check_changes(ones[0])
    check_refusals(ones[0])
    for one in ones:
        one.delete()
    with pytest.raises(ResourceNotFoundError) as gone:
        ones[0].get()
    assert code(gone) == row.missing
    check_deleted_twice(ones[0])


def check_lists(ones: list[One]) -> None:
    """Each list has all that it is of, page by page."""
    row = ones[0].row
    for method, arguments in row.lists.items():
        group, _, name = method.rpartition(".")
        for asked in {tuple(one.filled(arguments)) for one in ones}:
            found = getattr(ones[0].place.operations(group or row.operations), name)(*asked)
            if isinstance(found, Listed):
                assert found.pages >= len(ones)
            entries = found if isinstance(found, Listed) else found.value
            assert {one.name for one in ones if tuple(one.filled(arguments)) == asked} <= {one.name for one in entries}


def check_changes(one: One) -> None:
    """A PUT of what was read, one of something else, and a PATCH, of tags where it has some."""
    row = one.row
    one.check(one.put_back(one.get()), row.shown)
    if row.change:
        one.check(one.put(row.change), row.changed)
    if row.patch:
        sent, shown = row.patched
        getattr(one.place.operations(row.operations), row.patch)(*one.path, one.filled(sent), **row.options)
        one.check(one.get(), {**row.changed, **shown})


def check_deleted_twice(one: One) -> None:
    if not one.row.twice:
        one.delete()
        return
    with pytest.raises(ResourceNotFoundError) as gone:
        one.delete()
    assert code(gone) == one.row.twice


def check_refusals(one: One) -> None:
    """A body that Azure does not take, and an etag that is not the last one."""
    before = one.get()
    if one.row.refused is not None:
        change, expected = one.row.refused
        with pytest.raises(HttpResponseError) as refused:
            one.put(change)
        assert code(refused) == expected
    if getattr(before, "etag", None):
        with pytest.raises(HttpResponseError) as stale:
            one.put(headers={"If-Match": '"stale"'})
        assert stale.value.status_code == 412
    assert one.get() == before


def test_the_table_has_every_type() -> None:
    assert {declared.name for declared in TYPES.values()} == {row.type for row in ROWS} | set(NOT_WRITTEN)

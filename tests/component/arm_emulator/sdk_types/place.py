"""Where the tests of all types work: one resource group of one SDK, with what the types stand on."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.component.arm_emulator.sdk_types.row import Row, Standing
from tests.component.arm_emulator.sdk_types.standing import STANDING
from tests.support.sdk import Calls, Sdk


class Place:
    """A resource group in which things are made by what a table says of them."""

    def __init__(self, sdk: Sdk) -> None:
        """Makes the group."""
        self.sdk = sdk
        self._renew()

    def _renew(self) -> None:
        self.rg = f"rg-{uuid.uuid4().hex[:8]}"
        self._standing: set[str] = set()
        self.sdk.resources.resource_groups.create_or_update(self.rg, {"location": "westeurope"})

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Leaves the group behind where a test fails: what lies about there would fail others."""
        try:
            yield
        except BaseException:
            self._renew()
            raise

    def filled(self, value: Any, number: int = 1, name: str = "") -> Any:
        """The value with its words put in: `{sub}`, `{group}` and `{net}` are ids; `{rg}`, `{name}`; `{n}` is 1 or 2."""
        if isinstance(value, dict):
            return {key: self.filled(each, number, name) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.filled(each, number, name) for each in value]
        if not isinstance(value, str):
            return value
        subscription = f"/subscriptions/{self.sdk.subscription}"
        group = f"{subscription}/resourceGroups/{self.rg}"
        words = {"net": f"{group}/providers/Microsoft.Network", "group": group, "sub": subscription, "rg": self.rg}
        for word, text in (("name", name), *words.items(), ("n", str(number))):
            value = value.replace(f"{{{word}}}", text)
        return value

    def operations(self, path: str) -> Calls:
        """A group of operations by the client's name and its own."""
        client, _, group = path.partition(".")
        return getattr(getattr(self.sdk, client), group)  # type: ignore[no-any-return]

    def stand(self, needs: tuple[str, ...]) -> None:
        """Makes what is needed and not there yet."""
        for need in needs:
            if need not in self._standing:
                standing = STANDING[need[:-1]]
                self.stand(standing.needs)
                self.put(standing, int(need[-1]), need)
                self._standing.add(need)

    def method(self, thing: Row | Standing, verb: str) -> Any:
        """The call that does `create_or_update`, `get` or `delete`, whatever this SDK calls it."""
        operations = self.operations(thing.operations)
        begun = f"begin_{verb}"
        return getattr(operations, thing.methods.get(verb, begun if operations.has(begun) else verb))

    def put(self, thing: Row | Standing, number: int, name: str, body: Any = None, **options: Any) -> Any:
        """A PUT of its body, or of another, once it has ended."""
        sent = self.filled(thing.body if body is None else body, number, name)
        return self.method(thing, "create_or_update")(*self.filled(thing.path, number, name), sent, **options)

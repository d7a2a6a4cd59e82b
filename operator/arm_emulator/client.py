"""A client for the control side, for tests and demos: faults, foreign looks at the state, the clock."""

import asyncio
import ssl
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote

import aiohttp

Json = dict[str, Any]
VOLATILE = frozenset({"etag", "resourceGuid", "dnsName", "ipAddress", "vmId", "timeCreated", "macAddress"})
"""Fields that differ between two Azures in which the same was done."""


class ControlError(Exception):
    """The control side refused; the message is its own."""


class ControlClient:
    """Speaks to `{endpoint}/_emulator/…`. Use as an async context manager, or call `close`."""

    def __init__(self, endpoint: str, token: str, ca_file: str) -> None:
        """The three are `endpoint`, `control_token` and `ca_file` of the emulator's ready line."""
        self._base = f"{endpoint}/_emulator"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._context = ssl.create_default_context(cafile=ca_file)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes."""
        await self.close()

    async def close(self) -> None:
        """Closes the connection."""
        if self._session is not None:
            await self._session.close()

    async def resources(self) -> list[Json]:
        """Everything that stands, children included, sorted by id."""
        return await self._values("resources")

    async def audit(self) -> list[Json]:
        """Every accepted write: time, principal, method, id, status."""
        return await self._values("audit")

    async def changes(self, since: str = "start") -> Json:
        """What differs from a snapshot: `created`, `deleted`, `changed`, each entry with `id`, `by`, `before`, `after`."""
        return await self._call("GET", f"audit/changes?since={quote(since, safe='')}")

    async def snapshot(self, name: str) -> Json:
        """Keeps what stands under a name."""
        return await self._call("POST", "snapshots", {"name": name})

    async def snapshots(self) -> list[Json]:
        """The snapshots: name, time, number of resources; `start` is there from the beginning."""
        return await self._values("snapshots")

    async def restore(self, name: str) -> None:
        """Puts everything back to what it was in a snapshot."""
        await self._call("POST", f"snapshots/{quote(name, safe='')}/restore")

    async def put_resource(self, row: Json, principal: str = "somebody else") -> None:
        """Makes or replaces a resource by an estate row, as if `principal` had done so; nothing refuses it."""
        await self._call("POST", "resources", {"resource": row, "principal": principal})

    async def delete_resource(self, resource_id: str, principal: str = "somebody else") -> None:
        """Takes a resource away, as if `principal` had done so; nothing refuses it."""
        await self._call("DELETE", f"resources?id={quote(resource_id, safe='')}&principal={quote(principal, safe='')}")

    async def set_subscription(
        self, subscription: str, *, state: str | None = None, providers: dict[str, str] | None = None
    ) -> None:
        """Changes a subscription's state (`Enabled`, `Warned`, `Disabled`), and its registrations by namespace."""
        body = {"state": state, "providers": providers}
        given = {name: value for name, value in body.items() if value is not None}
        await self._call("POST", f"subscriptions/{subscription}", given)

    async def operations(self) -> list[Json]:
        """Every long operation, running or ended."""
        return await self._values("operations")

    async def advance(self, seconds: float) -> None:
        """Moves Azure's clock ahead; operations that fall due end."""
        await self._call("POST", "clock", {"advance": seconds})

    async def best_time(self, calls: list[Json]) -> float:
        """The least seconds that calls can take within Azure's budgets at this speed, all budgets being full.

        Each of `calls` is `{"subscription", "region", "kind": "reads" | "writes" | "deletes", "count"}`.
        """
        return float((await self._call("POST", "best-time", {"calls": calls}))["seconds"])

    async def set_graph_lag(self, seconds: float) -> None:
        """How far Resource Graph is behind, in seconds at speed 1."""
        await self._call("POST", "graph", {"lag": seconds})

    async def principals(self) -> list[Json]:
        """Who may call: name, client_id, object_id, client_secret, secret_expires, revoked."""
        return await self._values("principals")

    async def change_principal(self, name: str, **change: Any) -> Json:
        """Changes an account and returns it: `revoked`, `challenge`, `client_secret`, `rotate`, `secret_expires_in`."""
        return await self._call("POST", f"principals/{name}", change)

    async def add_fault(
        self,
        action: Json,
        *,
        method: str | list[str] | None = None,
        url: str | None = None,
        resource_type: str | None = None,
        principal: str | None = None,
        nth: int = 1,
        count: int = 1,
    ) -> str:
        """Adds a rule and returns its id.

        `action` is one of (or several in one object) `{"error": {status, code, message?, headers?}}`, `{"delay": seconds}`,
        `{"reset": "before" | "after"}`, `{"hold": "before" | "after"}`, `{"fail_operation": {code, message?}}`. It strikes
        from the `nth` fitting request on, `count` times; 0 is always.
        """
        match = {"method": method, "url": url, "type": resource_type, "principal": principal}
        rule = {
            "match": {name: value for name, value in match.items() if value is not None},
            "action": action,
            "nth": nth,
            "count": count,
        }
        return str((await self._call("POST", "faults", rule))["id"])

    async def faults(self) -> list[Json]:
        """The rules with their `seen`, `fired` and `holding` counts."""
        return await self._values("faults")

    async def held(self) -> list[Json]:
        """The requests on hold: fault, side, method, url, principal."""
        return await self._values("held")

    async def wait_held(self, fault: str, *, timeout: float = 30) -> Json:  # noqa: ASYNC109  (told as an error of ours)
        """Waits until a rule holds a request, and returns it. Raises TimeoutError."""
        deadline = asyncio.get_running_loop().time() + timeout
        while True:
            for one in await self.held():
                if one["fault"] == fault:
                    return one
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError(f"{fault} held no request within {timeout} seconds")
            await asyncio.sleep(0.01)

    async def release(self, fault: str, *, act: bool | None = None) -> int:
        """Lets held requests go on; `act` False drops those held before the act, None drops them if their client has gone."""
        return int((await self._call("POST", f"faults/{fault}/release", {"act": act}))["released"])

    async def remove_fault(self, fault: str) -> None:
        """Removes a rule, letting go what it holds."""
        await self._call("DELETE", f"faults/{fault}")

    async def remove_faults(self) -> None:
        """Removes all rules."""
        await self._call("DELETE", "faults")

    async def _values(self, path: str) -> list[Json]:
        values: list[Json] = (await self._call("GET", path))["value"]
        return values

    async def _call(self, method: Literal["GET", "POST", "DELETE"], path: str, body: Json | None = None) -> Json:
        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=self._context)
            self._session = aiohttp.ClientSession(connector=connector, headers=self._headers)
        async with self._session.request(method, f"{self._base}/{path}", json=body) as response:
            answer: Json = await response.json()
            if response.ok:
                return answer
            raise ControlError(f"{method} {path}: {answer['error']['code']}: {answer['error']['message']}")


def canonical(resources: list[Json]) -> list[Json]:
    """A dump without what differs between two runs of the same: GUIDs, etags, addresses given out, times."""
    return [_canonical(one) for one in resources]


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _canonical(inner) for name, inner in sorted(value.items()) if name not in VOLATILE}
    if isinstance(value, list):
        return [_canonical(inner) for inner in value]
    return value

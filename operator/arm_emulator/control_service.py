"""The control side, `/_emulator/…`: the state in full, the audit, the clock, faults, accounts. Only with `--control`."""

import hmac
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from arm_emulator import best_time, registration, rendering
from arm_emulator.cloud import Cloud
from arm_emulator.entra.accounts import Accounts
from arm_emulator.errors import ArmError, Json, bad_request, not_found
from arm_emulator.faults import Faults
from arm_emulator.foreign_changes import SOMEBODY_ELSE, ForeignChanges
from arm_emulator.gate import READ_ONLY_STATES
from arm_emulator.graph.view import GraphView
from arm_emulator.ids import SUBSCRIPTION_TYPE
from arm_emulator.messages import Answer, Request
from arm_emulator.operations import described
from arm_emulator.requests import body_of
from arm_emulator.snapshots import START, Snapshots
from arm_emulator.store import Resource

PREFIX = "/_emulator"


class ControlService:
    """Answers the control side's requests; `token` is the bearer token that it asks for, None where it is closed."""

    def __init__(
        self,
        *,
        cloud: Cloud,
        view: GraphView,
        faults: Faults,
        accounts: Accounts,
        token: str | None,
    ) -> None:
        """What it shows and moves."""
        self._cloud = cloud
        self._view = view
        self._faults = faults
        self._accounts = accounts
        self._snapshots = Snapshots(cloud)
        self._foreign = ForeignChanges(cloud)
        if token is not None:
            self._snapshots.take(START)
        self._token = token

    def serves(self, request: Request) -> bool:
        """Whether the path is the control side's."""
        return request.path == PREFIX or request.path.startswith(PREFIX + "/")

    def answer(self, request: Request) -> Answer:
        """The answer. Raises ArmError."""
        if self._token is None:
            raise not_found("ControlSideClosed", "The control side is closed: start the emulator with --control.")
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            raise ArmError(
                HTTPStatus.UNAUTHORIZED, "InvalidControlToken", "The control side wants its own bearer token."
            )
        what = request.path.removeprefix(PREFIX).strip("/").split("/")
        handlers: dict[tuple[str, str], Callable[[], object]] = {
            ("GET", "resources"): self._resources,
            ("POST", "resources"): lambda: self._put(body_of(request.body)),
            ("DELETE", "resources"): lambda: self._foreign.delete(request.query.get("id", ""), _who(request.query)),
            ("GET", "audit"): lambda: self._audit(what, request),
            ("GET", "snapshots"): lambda: {"value": self._snapshots.listed()},
            ("POST", "snapshots"): lambda: self._snapshot(what, request),
            ("POST", "subscriptions"): lambda: self._subscription(what, body_of(request.body)),
            ("GET", "operations"): lambda: {"value": [described(one) for one in self._cloud.operations]},
            ("GET", "clock"): self._clock,
            ("POST", "clock"): lambda: self._advance(body_of(request.body)),
            ("POST", "best-time"): lambda: self._best_time(body_of(request.body)),
            ("GET", "graph"): lambda: {"lag": self._view.lag},
            ("POST", "graph"): lambda: self._set_lag(body_of(request.body)),
            ("GET", "held"): lambda: {"value": self._faults.held()},
            ("GET", "faults"): lambda: {"value": self._faults.described()},
            ("POST", "faults"): lambda: self._add_or_release(what, request),
            ("DELETE", "faults"): lambda: self._remove(what),
            ("GET", "principals"): lambda: self._principals(what),
            ("POST", "principals"): lambda: self._change_principal(what, body_of(request.body)),
        }
        handler = handlers.get((request.method, what[0]))
        if handler is None:
            raise not_found("UnknownControl", f"The control side has no {request.method} {request.path}.")
        return Answer(HTTPStatus.OK, handler())

    def _resources(self) -> Json:
        """Everything, sorted by id: the body of a GET, and what only the graph tells."""
        ordered = sorted(self._cloud.store, key=lambda item: item.key)
        return {"value": [self._full(item) for item in ordered]}

    def _full(self, item: Resource) -> Json:
        body = rendering.answered(self._cloud, item)
        body["properties"] = dict(sorted(rendering.with_row(self._cloud, item, body["properties"]).items()))
        return body

    def _put(self, body: Json) -> Json:
        return self._foreign.put(body.get("resource"), _who(body))

    def _audit(self, what: list[str], request: Request) -> Json:
        if what[1:] == ["changes"]:
            return self._snapshots.changes(request.query.get("since", START))
        if what[1:]:
            raise not_found("UnknownControl", f"The control side has no GET {request.path}.")
        return {"value": self._cloud.audit.entries}

    def _snapshot(self, what: list[str], request: Request) -> Json:
        if len(what) == 1:
            name = body_of(request.body).get("name")
            return self._snapshots.take(name if isinstance(name, str) else "")
        if what[2:] != ["restore"]:
            raise not_found("UnknownControl", f"The control side has no POST {request.path}.")
        return self._snapshots.restore(what[1])

    def _subscription(self, what: list[str], body: Json) -> Json:
        """Changes the state of a subscription, or what it is registered for."""
        item = self._cloud.store.get(f"/subscriptions/{'/'.join(what[1:])}".lower())
        if item is None or item.id.type != SUBSCRIPTION_TYPE:
            raise not_found("SubscriptionNotFound", f"There is no subscription '{'/'.join(what[1:])}'.")
        state, providers = body.get("state", "Enabled"), body.get("providers", {})
        known = isinstance(providers, dict) and all(one in registration.STATES for one in providers.values())
        if state not in ("Enabled", "PastDue", *READ_ONLY_STATES) or not known:
            raise bad_request(
                "InvalidSubscription",
                "A subscription is changed by {'state': 'Enabled' | 'Warned' | 'Disabled' …, 'providers': {namespace: "
                "'Registered' | 'NotRegistered' …}}.",
            )
        if "state" in body:
            item.properties["state"] = state
            self._cloud.store.put(item)
        for namespace, wanted in providers.items():
            registration.change(self._cloud, item, namespace, wanted)
        return {"id": str(item.id), "state": item.properties.get("state", "Enabled")}

    def _clock(self) -> Json:
        clock = self._cloud.clock
        return {"now": clock.timestamp(), "offset": clock.offset, "speed": clock.speed}

    def _best_time(self, body: Json) -> Json:
        """The least seconds that calls can take within Azure's budgets at this speed, and what each budget says."""
        found = best_time.bounds(best_time.read(body), self._cloud.clock.speed)
        told = [{"budget": each.budget, "seconds": each.seconds} for each in found]
        return {"seconds": max((each.seconds for each in found), default=0.0), "bounds": told}

    def _advance(self, body: Json) -> Json:
        seconds = body.get("advance")
        if not isinstance(seconds, int | float) or seconds < 0:
            raise bad_request("InvalidClock", "The clock is moved by {'advance': seconds}, forward only.")
        self._cloud.clock.advance(seconds)
        self._cloud.operations.settle()
        return self._clock()

    def _set_lag(self, body: Json) -> Json:
        lag = body.get("lag")
        if not isinstance(lag, int | float) or lag < 0:
            raise bad_request("InvalidLag", "The lag is set by {'lag': seconds}, at speed 1.")
        self._view.lag = float(lag)
        return {"lag": self._view.lag}

    def _add_or_release(self, what: list[str], request: Request) -> Json:
        if len(what) == 1:
            return {"id": self._faults.add(body_of(request.body)).id}
        if what[2:] != ["release"]:
            raise not_found("UnknownControl", f"The control side has no POST {request.path}.")
        act = body_of(request.body).get("act") if request.body else None
        return {"released": self._faults.release(what[1], act=act if isinstance(act, bool) else None)}

    def _remove(self, what: list[str]) -> Json:
        self._faults.remove(what[1] if len(what) > 1 else None)
        return {}

    def _principals(self, what: list[str]) -> Json:
        if len(what) == 1:
            return {"value": self._accounts.described()}
        return self._accounts.described(what[1])[0]

    def _change_principal(self, what: list[str], body: Json) -> Json:
        return self._accounts.change(what[1] if len(what) > 1 else "", body, self._cloud.clock.now())


def _who(given: Mapping[str, Any]) -> str:
    """The principal who is said to have made a foreign change."""
    return str(given.get("principal") or SOMEBODY_ELSE)

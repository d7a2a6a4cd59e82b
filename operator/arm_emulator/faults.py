"""Faults by rule: which requests they strike, how often, and what they do. Applied by the server, set by the control side."""

import asyncio
import itertools
import re
from dataclasses import dataclass, field
from typing import Literal, get_args

from arm_emulator.entra.errors import TokenError, invalid_client
from arm_emulator.errors import ArmError, Json, bad_request
from arm_emulator.messages import Request

Side = Literal["before", "after"]
ALWAYS = 0


@dataclass(frozen=True, slots=True)
class Match:
    """All that is given must fit. Methods, types and principals compare without case, `url` is searched as a regex."""

    methods: frozenset[str] = frozenset()
    url: re.Pattern[str] | None = None
    type: str | None = None
    principal: str | None = None

    def fits(self, request: Request, resource_type: str, principal: str | None) -> bool:
        """Whether a request is meant."""
        return (
            (not self.methods or request.method in self.methods)
            and (self.url is None or self.url.search(f"{request.path}?{request.raw_query}") is not None)
            and (self.type is None or self.type == resource_type.lower())
            and (self.principal is None or self.principal == (principal or "").lower())
        )


@dataclass(frozen=True, slots=True)
class Action:
    """What happens to a struck request; several may be combined."""

    error: ArmError | TokenError | None = None
    delay: float = 0
    reset: Side | None = None
    hold: Side | None = None
    fail_operation: Json | None = None


@dataclass(slots=True)
class Fault:
    """A rule: strikes from the `nth` matching request on, `count` times (0: always)."""

    id: str
    match: Match
    action: Action
    nth: int = 1
    count: int = 1
    seen: int = 0
    fired: int = 0
    description: Json = field(default_factory=dict)

    def strikes(self) -> bool:
        """Counts one more matching request; whether this one is struck."""
        self.seen += 1
        if self.seen < self.nth or (self.count != ALWAYS and self.fired >= self.count):
            return False
        self.fired += 1
        return True


@dataclass(slots=True)
class Held:
    """A request that waits to be released; `act` tells what to do then: None acts if the client is still there."""

    id: str
    fault: str
    side: Side
    method: str
    url: str
    principal: str | None
    since: str
    released: asyncio.Event
    act: bool | None = None


class Faults:
    """The rules in force and the requests that they hold."""

    def __init__(self) -> None:
        """No rules."""
        self._faults: dict[str, Fault] = {}
        self._held: dict[str, Held] = {}
        self._sequence = itertools.count(1)

    def add(self, rule: Json) -> Fault:
        """A rule as the control side takes it: `{match, nth, count, action}`. Raises ArmError for one that is none."""
        fault = _parsed(f"fault-{next(self._sequence)}", rule)
        self._faults[fault.id] = fault
        return fault

    def remove(self, fault_id: str | None = None) -> None:
        """Removes one rule, or all, and lets go what they hold."""
        for one in [fault_id] if fault_id is not None else list(self._faults):
            self._faults.pop(one, None)
            self.release(one, act=None)

    def release(self, fault_id: str, *, act: bool | None) -> int:
        """Lets the requests that a rule holds go on; returns how many."""
        released = [held for held in self._held.values() if held.fault == fault_id]
        for held in released:
            held.act = act
            held.released.set()
        return len(released)

    def taken(self, request: Request, resource_type: str, principal: str | None) -> list[Fault]:
        """The rules that strike this request, oldest first."""
        fitting = [f for f in self._faults.values() if f.match.fits(request, resource_type, principal)]
        return [fault for fault in fitting if fault.strikes()]

    async def hold(self, fault: Fault, side: Side, request: Request, principal: str | None, since: str) -> bool | None:
        """Waits until the request is released; returns what the release said."""
        held = Held(
            f"held-{next(self._sequence)}",
            fault.id,
            side,
            request.method,
            request.path,
            principal,
            since,
            asyncio.Event(),
        )
        self._held[held.id] = held
        try:
            await held.released.wait()
        finally:
            del self._held[held.id]
        return held.act

    def described(self) -> list[Json]:
        """The rules with their counts."""
        return [
            {
                "id": fault.id,
                **fault.description,
                "seen": fault.seen,
                "fired": fault.fired,
                "holding": self._count(fault),
            }
            for fault in self._faults.values()
        ]

    def held(self) -> list[Json]:
        """The requests on hold, oldest first."""
        return [
            {
                "id": held.id,
                "fault": held.fault,
                "side": held.side,
                "method": held.method,
                "url": held.url,
                "principal": held.principal,
                "since": held.since,
            }
            for held in self._held.values()
        ]

    def _count(self, fault: Fault) -> int:
        return sum(held.fault == fault.id for held in self._held.values())


def _parsed(fault_id: str, rule: Json) -> Fault:
    match, action = rule.get("match") or {}, rule.get("action") or {}
    if not isinstance(match, dict) or not isinstance(action, dict) or not action:
        raise _invalid("a rule needs an object `action`, and `match` must be an object")
    unknown = (set(rule) - {"match", "action", "nth", "count"}) | (set(match) - {"method", "url", "type", "principal"})
    unknown |= set(action) - {"error", "delay", "reset", "hold", "fail_operation"}
    if unknown:
        raise _invalid(f"unknown fields {', '.join(sorted(unknown))}")
    methods = match.get("method") or []
    try:
        url = re.compile(str(match["url"]), re.IGNORECASE) if match.get("url") else None
    except re.error as error:
        raise _invalid(f"match.url is no regular expression: {error}") from None
    nth, count = rule.get("nth", 1), rule.get("count", 1)
    if not isinstance(nth, int) or not isinstance(count, int) or nth < 1 or count < 0:
        raise _invalid("nth is a number from 1 on, count one from 0 (always) on")
    return Fault(
        fault_id,
        Match(
            frozenset(str(one).upper() for one in ([methods] if isinstance(methods, str) else methods)),
            url,
            str(match["type"]).lower() if match.get("type") else None,
            str(match["principal"]).lower() if match.get("principal") else None,
        ),
        _action(action),
        nth,
        count,
        description=rule,
    )


def _action(action: Json) -> Action:
    error = action.get("error")
    if error is not None and not (
        isinstance(error, dict) and isinstance(error.get("status"), int) and error.get("code")
    ):
        raise _invalid("action.error needs status (a number) and code")
    for name in ("reset", "hold"):
        if action.get(name) not in (None, *get_args(Side)):
            raise _invalid(f"action.{name} is before or after")
    failure = action.get("fail_operation")
    if failure is not None and not (isinstance(failure, dict) and failure.get("code")):
        raise _invalid("action.fail_operation needs code")
    delay = action.get("delay", 0)
    if not isinstance(delay, int | float) or delay < 0:
        raise _invalid("action.delay is a number of seconds")
    return Action(
        error=None if error is None else _error(error),
        delay=float(delay),
        reset=action.get("reset"),
        hold=action.get("hold"),
        fail_operation=None
        if failure is None
        else {
            "code": failure["code"],
            "message": failure.get("message", "Failed by rule."),
            "details": failure.get("details") or [],
        },
    )


def _error(error: Json) -> ArmError | TokenError:
    number = re.fullmatch(r"AADSTS([0-9]+)", str(error["code"]))
    if number is not None:
        refusal = invalid_client(int(number.group(1)), str(error.get("message", "Refused by rule.")))
        refusal.status = error["status"]
        return refusal
    return ArmError(
        error["status"],
        str(error["code"]),
        str(error.get("message", "Refused by rule.")),
        details=error.get("details") or [],
        headers={str(name): str(value) for name, value in (error.get("headers") or {}).items()},
        additional_info=error.get("additionalInfo") or [],
    )


def _invalid(what: str) -> ArmError:
    return bad_request("InvalidFault", f"This is no fault rule: {what}.")

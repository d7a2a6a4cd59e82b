"""Azure's limits seen from outside: never overdrawn whatever the network does, never left unused, taught by Azure's word."""

import heapq
import random
from collections import deque
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bastion_operator.arm.limits import BucketSize, CallWindow, Limit, TokenBucket

SIZE = BucketSize(20, 2.0)
WINDOW = 30.0
IN_WINDOW = 40


# Less than a microsecond of refill, which no call is fast enough for: what is nearer to a token is one, here as in limits.py.
BLUR = 2e-6


@dataclass
class AzuresBucket:
    """The bucket on Azure's side. ``refused`` counts calls that came to an empty one."""

    size: BucketSize
    tokens: float = field(init=False)
    at: float = 0.0
    refused: int = 0

    def __post_init__(self) -> None:
        self.tokens = self.size.capacity

    def take(self, now: float) -> int:
        """What remains, as the header tells it; -1 where the call is refused."""
        self.tokens = min(self.tokens + (now - self.at) * self.size.refill, self.size.capacity)
        self.at = now
        if self.tokens < 1 - BLUR:
            self.refused += 1
            return -1
        self.tokens = max(self.tokens - 1, 0)
        return int(self.tokens)


@dataclass
class AzuresWindow:
    """Windows on Azure's side: each begins with the first call after the last one's end."""

    limit: int
    seconds: float
    began: float = -1e9
    count: int = 0
    refused: int = 0

    def take(self, now: float) -> int:
        if now - self.began >= self.seconds:
            self.began, self.count = now, 0
        if self.count >= self.limit:
            self.refused += 1
            return -1
        self.count += 1
        return self.limit - self.count


@dataclass
class Run:
    """How a greedy client fared: when each call was let through, and how often Azure refused."""

    passed: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)


def run(
    limit: Limit,
    azure: AzuresBucket | AzuresWindow,
    calls: int,
    rng: random.Random,
    *,
    told: bool = True,
    latency: float = 0.5,
    keeping: float = 0.0,
    others: float = 0.0,
    until: float = 1e6,
) -> Run:
    """Send as many calls as there are, as soon as the limit lets them, each arriving and answered after a random time.

    ``keeping``: seconds for which a held call is kept before it is sent, at most. ``others``: calls a second of another
    client. ``told``: answers carry what remains.
    """
    now, left, outcome = 0.0, calls, Run()
    events: list[tuple[float, int, str, int]] = []
    number = 0

    def at(when: float, what: str, value: int = 0) -> None:
        nonlocal number
        number += 1
        heapq.heappush(events, (when, number, what, value))

    at(0.0, "look")
    if others:
        at(0.1, "other")
    while (left or limit.held or limit.in_flight) and now < until:
        now, _, what, value = heapq.heappop(events)
        if what == "look":
            for _ in range(min(limit.room(now), left)):
                limit.hold(now, routine=False)
                left -= 1
                at(now + rng.uniform(0, keeping), "send")
            at(now + 0.05, "look")
        elif what == "send":
            wait = limit.blocked(now)
            if wait:
                limit.drop()
                left += 1
            else:
                limit.send(now)
                at(now + rng.uniform(0, latency), "arrive")
        elif what == "arrive":
            remaining = azure.take(now)
            (outcome.refused if remaining < 0 else outcome.passed).append(now)
            at(now + rng.uniform(0, latency), "answer", remaining)
        elif what == "answer":
            limit.answer(now, value if told and value >= 0 else None, refused=value < 0)
            if value < 0:
                left += 1
                limit.close(now, 1.0)
        else:
            azure.take(now)
            at(now + 1 / others, "other")
    assert not left, f"{left} calls were never sent"
    return outcome


@given(st.integers(0, 2**32), st.floats(0, 3), st.floats(0, 30), st.booleans())
@example(0, 0.0, 1e-7, False)
def test_a_bucket_is_never_overdrawn_by_us_whatever_the_network_and_the_holders_do(
    seed: int, latency: float, keeping: float, told: bool
) -> None:
    azure = AzuresBucket(SIZE)
    run(TokenBucket(SIZE, 0.0), azure, 120, random.Random(seed), told=told, latency=latency, keeping=keeping)
    assert azure.refused == 0


@given(st.integers(0, 2**32), st.floats(0, 3), st.floats(0, 30))
def test_a_window_is_never_overdrawn_by_us_wherever_azures_windows_begin(
    seed: int, latency: float, keeping: float
) -> None:
    azure = AzuresWindow(IN_WINDOW, WINDOW)
    outcome = run(CallWindow(IN_WINDOW, WINDOW), azure, 130, random.Random(seed), latency=latency, keeping=keeping)
    assert azure.refused == 0
    inside: deque[float] = deque()
    for at in outcome.passed:
        inside.append(at)
        while inside[0] <= at - WINDOW:
            inside.popleft()
        assert len(inside) <= IN_WINDOW


def test_a_bucket_is_used_to_the_full() -> None:
    azure = AzuresBucket(SIZE)
    outcome = run(TokenBucket(SIZE, 0.0), azure, 120, random.Random(1), latency=0.1)
    best = (120 - SIZE.capacity) / SIZE.refill
    assert best <= outcome.passed[-1] <= 1.05 * best


def test_a_window_is_used_to_the_full() -> None:
    outcome = run(CallWindow(IN_WINDOW, WINDOW), AzuresWindow(IN_WINDOW, WINDOW), 130, random.Random(1), latency=0.1)
    assert 3 * WINDOW <= outcome.passed[-1] <= 3.05 * WINDOW


@pytest.mark.parametrize("seed", range(5))
def test_another_client_of_the_bucket_is_seen_in_what_remains_and_nothing_is_refused_twice_in_a_row(seed: int) -> None:
    azure = AzuresBucket(SIZE)
    outcome = run(TokenBucket(SIZE, 0.0), azure, 120, random.Random(seed), latency=0.1, others=1.0)
    best = (120 - SIZE.capacity) / (SIZE.refill - 1.0)
    assert outcome.passed[-1] <= 1.3 * best
    for before, after in zip(outcome.refused, outcome.refused[1:], strict=False):
        assert any(before < at < after for at in outcome.passed), "two refusals in a row"
    assert len(outcome.refused) <= 3


def test_a_refusal_closes_to_the_second_and_then_one_call_goes_ahead_alone() -> None:
    bucket = TokenBucket(SIZE, 0.0)
    bucket.hold(0.0, routine=False)
    bucket.send(0.0)
    bucket.answer(0.5, None, refused=True)
    bucket.close(0.5, 446.0)
    assert bucket.room(446.4) == 0
    assert bucket.blocked(446.4) == pytest.approx(0.1)
    assert (bucket.room(446.5), bucket.blocked(446.5)) == (1, 0.0)
    bucket.hold(446.5, routine=False)
    bucket.send(446.5)
    assert bucket.room(447.0) == 0
    assert bucket.blocked(447.0) > 0, "what was held before waits for the answer as well"
    bucket.answer(447.0, 11, refused=False)
    assert (bucket.left(447.0), bucket.room(447.0), bucket.blocked(447.0)) == (11, 2, 0.0), "somebody else eats from it"


def test_a_shorter_wait_does_not_shorten_a_longer_one() -> None:
    for limit in (TokenBucket(SIZE, 0.0), CallWindow(IN_WINDOW, WINDOW)):
        limit.close(0.0, 100.0)
        limit.close(1.0, 10.0)
        assert limit.room(99.9) == 0
        assert limit.room(100.0) == 1


def test_azures_word_goes_before_the_own_count() -> None:
    bucket = TokenBucket(SIZE, 0.0)
    for _ in range(3):
        bucket.hold(0.0, routine=False)
        bucket.send(0.0)
    bucket.answer(0.0, 5, refused=False)
    assert bucket.left(0.0) == 3, "five are left, and two of ours may still be on their way"
    assert bucket.left(5.0) == 13
    assert bucket.left(1e6) == 18


def test_what_is_in_flight_is_not_subtracted_twice_from_what_azure_has_counted_already() -> None:
    bucket = TokenBucket(BucketSize(200, 10.0), 0.0)
    for _ in range(20):
        bucket.hold(0.0, routine=False)
        bucket.send(0.0)
    bucket.answer(0.0, 185, refused=False)
    assert bucket.left(0.0) == 180, "fifteen are counted and five on their way, as nobody else was there"
    bucket.answer(0.0, 179, refused=False)
    assert bucket.left(0.0) == 161, "somebody has taken one, and all the others of ours may be on their way"


def test_no_burst_is_under_way_before_azure_has_said_a_word_of_the_bucket() -> None:
    bucket = TokenBucket(BucketSize(200, 10.0), 0.0)
    assert bucket.left(0.0) == 200
    assert bucket.room(0.0) == 20, "a tenth, of which the first answer tells how the bucket is"
    for _ in range(20):
        bucket.hold(0.0, routine=False)
        bucket.send(0.0)
    assert bucket.room(0.0) == 0
    bucket.answer(0.1, 199, refused=False)
    assert bucket.room(0.1) == 180, "nobody else was there: all of it is ours"
    for _ in range(19):
        bucket.answer(0.2, None, refused=False)
    assert bucket.room(29.0) == 200
    assert bucket.room(31.0) == 20, "the word is old"


def test_where_somebody_else_was_seen_to_eat_a_quarter_of_what_is_left_is_under_way_at_once() -> None:
    bucket = TokenBucket(BucketSize(200, 10.0), 0.0)
    for _ in range(20):
        bucket.hold(0.0, routine=False)
        bucket.send(0.0)
    for answered in range(20):
        bucket.answer(0.0, 99 - answered, refused=False)
    assert bucket.left(0.0) == 80
    assert bucket.room(0.0) == 20
    for _ in range(25):
        bucket.hold(0.0, routine=False)
    for _ in range(20):
        bucket.send(0.0)
    assert bucket.blocked(0.0) > 0, "what was held before waits for an answer as well"


def test_a_window_that_others_eat_from_is_ours_in_part_and_comes_back() -> None:
    window = CallWindow(IN_WINDOW, WINDOW)
    for _ in range(15):
        window.hold(0.0, routine=False)
        window.send(0.0)
        window.answer(0.0, None, refused=False)
    window.close(0.0, 30.0)
    assert window.share == 15
    window.hold(30.0, routine=False)
    window.send(30.0)
    window.answer(30.0, None, refused=False)
    assert window.room(31.0) == 14
    for quarter in range(4, 60):
        window.room(quarter * WINDOW)
    assert window.room(60 * WINDOW) == IN_WINDOW


def test_the_end_of_a_window_is_spread_where_more_waits_than_it_holds_and_not_before() -> None:
    window = CallWindow(IN_WINDOW, WINDOW)

    def send(now: float) -> None:
        window.hold(now, routine=True)
        window.send(now)
        window.answer(now, None, refused=False)

    for count in range(30):
        assert window.spread_in(0.0, 60 - count) == 0
        send(0.0)
    # Ten are left in the window, thirty wait, and the last of them must wait for the end of the window anyway.
    assert window.spread_in(0.0, 30) == pytest.approx(WINDOW / 10, rel=0.05)
    assert window.spread_in(WINDOW / 10 + 0.1, 30) == 0
    assert window.spread_in(0.0, 10) == 0, "what fits goes at once"


@given(st.integers(30, 200), st.integers(0, 2**32))
def test_spreading_ends_nothing_later(calls: int, seed: int) -> None:
    assert _ended(calls, seed, spread=True) <= _ended(calls, seed, spread=False) + 1.0


def _ended(calls: int, seed: int, *, spread: bool) -> float:
    """When the last of so many routine calls is sent, with a look each tenth of a second and answers at once."""
    window, now, left = CallWindow(IN_WINDOW, WINDOW), 0.0, calls
    rng = random.Random(seed)
    while left:
        while left and window.room(now) and not (spread and window.spread_in(now, left)):
            window.hold(now, routine=True)
            window.send(now)
            window.answer(now, None, refused=False)
            left -= 1
        now += rng.uniform(0.05, 0.15)
    return now

"""The wall clock of the operator's machine is set forward and back by hours while it works: nothing goes early, nothing stops."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from dev.wall_clock import WallClock
from tests.e2e.test_links_kept import links, since
from tests.e2e.test_who_leaves import OWN, estate, selecting, take_tag, told
from tests.support.lab import Lab

HOUR = 3600.0


def move(lab: Lab, clock: WallClock, hours: float) -> None:
    """Set the operator's clock, and wait until the operator goes by it."""
    clock.move(hours * HOUR)
    lab.wait_for(lambda: clock.followed, "the operator's clock is set")


def set_clock(lab: Lab, clock: WallClock, hours: float, *, flag: bool) -> None:
    """Set the operator's clock, ask for another setting, and wait until that is carried out, told, and logged by that clock."""
    move(lab, clock, hours)
    lab.patch("vnp", "kept", hubToSpoke={"allowForwardedTraffic": flag})
    lab.wait_for(lambda: links(lab)["hub", "kept"]["properties"]["allowForwardedTraffic"] is flag, "it is so in Azure")
    lab.wait_ready("vnp/kept")
    shown = datetime.now() + timedelta(seconds=clock.ahead)  # noqa: DTZ005 - as logged
    day_and_hour = {f"{shown - timedelta(minutes=ago):%Y-%m-%d %H:}" for ago in (0, 5)}
    lab.wait_for(
        lambda: any(each in lab.operator.log.read_text() for each in day_and_hour), "it is logged by that clock"
    )


def advance(lab: Lab, seconds: float) -> None:
    """Azure's own clock goes on."""

    async def move() -> None:
        async with lab.azure.control() as control:
            await control.advance(seconds)

    asyncio.run(move())


def test_a_wall_clock_that_jumps_ends_no_grace_and_stops_nothing(lab_factory: Callable[..., Lab]) -> None:
    lab = lab_factory(estate())
    clock = lab.operator.wall_clock = WallClock(lab.folder)
    lab.operator.start()
    lab.apply(selecting("plain"), selecting("kept", on_leave=None))
    lab.wait_for(lambda: len(links(lab)) == 4, "both are joined")
    lab.wait_ready("vnp/plain", "vnp/kept")

    take_tag(lab, "plain")
    lab.wait_for(lambda: "is removed after" in told(lab, "plain"), "the grace runs")
    before = told(lab, "plain")
    set_clock(lab, clock, 6, flag=True)
    set_clock(lab, clock, 24, flag=False)
    lab.annotate("vnp", "plain", "by the wrong clock")
    lab.wait_for(lambda: lab.get("vnp", "plain")["status"].get("lastHandledReconcileAt"), "it was looked at")
    assert len(links(lab)) == 4, "by Azure's clock the grace is not over"
    assert told(lab, "plain") == before

    set_clock(lab, clock, -36, flag=True)
    advance(lab, 25 * HOUR)
    lab.annotate("vnp", "plain", "by a clock that is late")
    lab.wait_for(
        lambda: lab.get("vnp", "plain")["status"].get("lastHandledReconcileAt") == "by a clock that is late",
        "it was looked at again",
    )
    assert len(links(lab)) == 4, "by the operator's own clock the grace is not over"

    start = len(lab.writes())
    move(lab, clock, 6 + 25)
    lab.annotate("vnp", "plain", "by clocks that agree")
    lab.wait_for(lambda: not lab.get("vnp", "plain")["status"].get("claims"), "the grace is over by both")
    assert sorted(since(lab, start)) == [("DELETE", "hub", f"{OWN}-plain"), ("DELETE", "plain", f"{OWN}-hub")]

"""Calls begin one after the other, those of different budgets in turns."""

import asyncio

from bastion_operator.arm.send_turns import SendTurns


async def test_lanes_take_turns_and_within_one_it_goes_by_who_came_first() -> None:
    turns, began = SendTurns(), list[str]()
    async with asyncio.TaskGroup() as group:
        for call in ("a1", "a2", "a3", "b1", "b2"):
            group.create_task(_begin(turns, call, began))
    assert began == ["a1", "b1", "a2", "b2", "a3"]


async def test_one_call_of_a_lane_begins_in_a_round_and_others_work_between() -> None:
    turns, began, rounds = SendTurns(), list[str](), list[int]()
    async with asyncio.TaskGroup() as group:
        for call in ("a1", "a2", "a3"):
            group.create_task(_begin(turns, call, began))
        while len(began) < 3:
            await asyncio.sleep(0)
            rounds.append(len(began))
    assert rounds[-3:] == [1, 2, 3]


async def test_who_broke_off_takes_no_turn_from_the_next() -> None:
    turns, began = SendTurns(), list[str]()
    tasks = [asyncio.create_task(_begin(turns, call, began)) for call in ("a1", "a2", "a3")]
    await asyncio.sleep(0)
    tasks[0].cancel()
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert began == ["a3"]


async def test_it_goes_on_after_all_that_waited_have_broken_off() -> None:
    turns, began = SendTurns(), list[str]()
    first = asyncio.create_task(_begin(turns, "a1", began))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await _begin(turns, "a2", began)
    assert began == ["a2"]


async def _begin(turns: SendTurns, call: str, began: list[str]) -> None:
    await turns.take(call[0])
    began.append(call)

"""A process that answers the kubelet's probes while it evaluates an estate, off the event loop as the operator does.

``python -m benchmarks.probed_process PAGES``; prints its port, begins at a line on its input, prints a line when done, ends with its input.
"""

import asyncio
import sys
from pathlib import Path

from aiohttp import web

from bastion_operator.handlers.probes import probe_app
from bastion_operator.interpreter import collect_less_often, take_short_turns
from benchmarks.fleet_process import reports


async def main(pages: Path) -> None:
    """Serves until the evaluation is done."""
    runner = web.AppRunner(probe_app(lambda: None, lambda: None), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    made = await asyncio.to_thread(lambda: list(reports(pages, 1)))
    print(sum(count for count, _ in made), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await runner.cleanup()


if __name__ == "__main__":
    collect_less_often()
    take_short_turns()
    asyncio.run(main(Path(sys.argv[1])))

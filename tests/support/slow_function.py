"""A function that takes its time: says on stderr when a request has come in, answers half a second later."""

import asyncio
import os
import sys

import uvloop
from starlette.responses import PlainTextResponse

from shared.runtime.log import start_logging
from shared.runtime.process import Process
from shared.runtime.resources import Resources
from shared.runtime.serve import listen
from shared.runtime.settings import Settings


class Giving:
    """A handler that gives its work back when it is told to end."""

    async def handle(self, event):
        pass

    async def drain(self):
        sys.stderr.write("drained\n")


async def main():
    resources = Resources(Settings.model_validate({}))

    async def app(scope, receive, send):
        if scope["path"] == "/slow":
            with open(os.environ["ARRIVED"], "w"):  # noqa: ASYNC230, PTH123
                pass
            await asyncio.sleep(0.5)
        await PlainTextResponse(f"draining: {resources.draining}")(scope, receive, send)

    process = Process(resources)
    process.handle(Giving())
    await process.run(app, listen("127.0.0.1", int(os.environ["PORT"])))


if __name__ == "__main__":
    start_logging()
    uvloop.run(main())

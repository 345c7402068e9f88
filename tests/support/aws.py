"""A function called as AWS Lambda calls it: real payloads, one call at a time, on a thread that is its own."""

import asyncio
import base64
import json
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import uuid4

from shared.runtime import registry
from shared.runtime.aws.observing import Observer
from shared.runtime.aws.sandbox import Sandbox
from shared.runtime.settings import Settings

PAYLOADS = Path(__file__).parents[1] / "integration" / "aws" / "payloads"
ARN = "arn:aws:lambda:eu-central-1:123456789012:function:weir"
QUEUE_ARN = "arn:aws:sqs:eu-central-1:123456789012:weir-wakes"


def payload(name: str) -> dict[str, Any]:
    """A payload of AWS's, as its documentation shows it."""
    return json.loads((PAYLOADS / f"{name}.json").read_text())


@dataclass
class Context:
    """What Lambda says of a call."""

    seconds: float = 30.0
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    function_name: str = "weir"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = ARN

    def __post_init__(self) -> None:
        self._until = time.monotonic() + self.seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._until - time.monotonic()) * 1000))


def _encoded(body: bytes | str) -> dict[str, Any]:
    if isinstance(body, str):
        return {"body": body, "isBase64Encoded": False}
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def request(
    method: str,
    target: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | str = "",
    *,
    by: str = "gateway_v2",
    **changes: Any,
) -> dict[str, Any]:
    """A request as `by` sends it: bytes go in base64. `changes` are those of `requestContext`."""
    event = payload(by)
    address = urlsplit(target)
    event["requestContext"].update(changes)
    event.update(_encoded(body))
    if event.get("version") == "2.0":
        event["rawPath"] = address.path
        event["rawQueryString"] = address.query
        event["requestContext"]["http"].update(method=method, path=address.path)
        event["headers"].update({k.lower(): v for k, v in (headers or {}).items()})
        return event
    event.update(httpMethod=method, path=address.path)
    pairs = [part.partition("=")[::2] for part in address.query.split("&") if part]
    if by == "balancer":
        event["queryStringParameters"] = dict(pairs)
        event["headers"].update(headers or {})
    else:
        for name, value in pairs:
            event["multiValueQueryStringParameters"].setdefault(name, []).append(value)
        event["multiValueHeaders"].update({k: [v] for k, v in (headers or {}).items()})
    return event


def message(body: object, number: int = 1, *, group: str | None = None) -> dict[str, Any]:
    """A message of a queue; with `group` one of a queue that keeps order."""
    record = payload("sqs")
    record["messageId"] = f"m-{number}"
    record["body"] = body if isinstance(body, str) else json.dumps(body)
    if group is not None:
        record["eventSourceARN"] += ".fifo"
        record["attributes"] |= {"MessageGroupId": group, "SequenceNumber": f"{number:020}"}
    return record


def event(kind: str, data: object = None, **attributes: str) -> dict[str, Any]:
    """A CloudEvent of Weir's own in the JSON format."""
    return {"specversion": "1.0", "id": uuid4().hex, "source": "/weir/test", "type": kind, **attributes} | (
        {} if data is None else {"data": data}
    )


def body_of(answer: dict[str, Any]) -> bytes:
    """What the client gets of an answer."""
    body = answer["body"]
    return base64.b64decode(body) if answer["isBase64Encoded"] else body.encode()


class Called:
    """`async with Called("ingest", settings) as ingest: await ingest(payload)`: its answer, or what it raises."""

    def __init__(self, name: str, settings: Settings, *, base_path: str = "") -> None:
        self._function = registry.find(name)
        self._settings = settings
        self._base_path = base_path
        self._thread = ThreadPoolExecutor(1)
        self.sandbox: Sandbox

    async def __call__(self, event: Any, *, seconds: float = 30.0) -> Any:
        return await self._run(lambda: self.sandbox(event, Context(seconds)))

    async def __aenter__(self) -> Self:
        root, weir = logging.getLogger(), logging.getLogger("weir")
        self._logging = (root, list(root.handlers), root.level, weir, list(weir.handlers), weir.level)
        self.sandbox = await self._run(
            lambda: Sandbox(self._function, self._settings, Observer(self._function.name), self._base_path)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._run(self.sandbox.close)
        self._thread.shutdown()
        root, handlers, level, weir, own, own_level = self._logging
        root.handlers[:], weir.handlers[:] = handlers, own
        root.setLevel(level)
        weir.setLevel(own_level)
        weir.propagate = True

    async def _run(self, call: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

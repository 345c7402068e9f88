"""Sending Weir's own events where there is no Knative broker: to a queue of SQS, or to a bus of EventBridge."""

import asyncio
import json
import logging
import os
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from shared.contracts.wake import Wake
from shared.runtime.aws.api import BUSES, QUEUES, Api, CallFailed, endpoint

SOURCE = "weir"
"""Of what goes to a bus: rules can tell Weir's events by it."""

logger = logging.getLogger("weir")


class QueueCarrier:
    """Puts wakes on one queue, as CloudEvents in the JSON format. It is dispatch's: what is for others waits for the tick."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._api = Api(QUEUES, region=_region_of(url), url=_address_of(url))

    async def send(self, kind: str, data: Any) -> bool:
        """Send an event of type `kind`. Whether the queue has it: a hint may be lost, so nothing is raised."""
        if kind != Wake.TYPE:
            return False
        body = json.dumps(
            {
                "specversion": "1.0",
                "id": str(uuid4()),
                "source": f"/weir/{os.environ.get('WEIR_FUNCTION', 'local')}",
                "type": kind,
                "datacontenttype": "application/json",
                "data": data,
            }
        )
        return await _tried(kind, self._api, "SendMessage", QueueUrl=self._url, MessageBody=body)

    async def close(self) -> None:
        """Close the connection."""
        self._api.close()


class BusCarrier:
    """Puts events on one bus: `detail-type` is their type, `detail` their data."""

    def __init__(self, bus: str) -> None:
        self._bus = bus
        self._api = Api(BUSES, region=bus.split(":")[3] if bus.startswith("arn:") else None)

    async def send(self, kind: str, data: Any) -> bool:
        """Send an event of type `kind`. Whether the bus took it: a hint may be lost, so nothing is raised."""
        entry = {
            "EventBusName": self._bus,
            "Source": SOURCE,
            "DetailType": kind,
            "Detail": json.dumps(data),
        }
        return await _tried(kind, self._api, "PutEvents", Entries=[entry])

    async def close(self) -> None:
        """Close the connection."""
        self._api.close()


async def _tried(kind: str, api: Api, action: str, **members: Any) -> bool:
    try:
        answer = await asyncio.to_thread(api.call, action, **members)
    except (CallFailed, OSError) as error:
        logger.warning("%s was not sent and waits for the tick: %s", kind, error)
        return False
    if answer.get("FailedEntryCount"):
        logger.warning("%s was not sent and waits for the tick: %s", kind, answer.get("Entries"))
        return False
    return True


def carrier_from_environment() -> QueueCarrier | BusCarrier | None:
    """The queue of `WEIR_WAKE_QUEUE_URL`, or the bus that `WEIR_WAKE_BUS` names; None without either."""
    if url := os.environ.get("WEIR_WAKE_QUEUE_URL"):
        return QueueCarrier(url)
    if bus := os.environ.get("WEIR_WAKE_BUS"):
        return BusCarrier(bus)
    return None


def _address_of(url: str) -> str | None:
    """Where a queue is asked: at its own address, unless the environment says where SQS is."""
    address = urlsplit(url)
    own = f"{address.scheme}://{address.netloc}"
    if "AWS_ENDPOINT_URL_SQS" in os.environ or "AWS_ENDPOINT_URL" in os.environ:
        return endpoint(QUEUES, "")
    return own


def _region_of(url: str) -> str | None:
    """The region in a queue's address, `https://sqs.eu-central-1.amazonaws.com/…`: it may not be the function's."""
    name, _, rest = (urlsplit(url).hostname or "").partition(".")
    region, _, domain = rest.partition(".")
    return region if name == "sqs" and domain.startswith("amazonaws.com") else None

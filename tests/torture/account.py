"""What became of the events, read from Weir's API and compared with what receivers saw."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.torture.fleet import Access, Weir

PAGE = 500
WAITING = ("pending", "retrying")


class Api:
    """A project's subscriptions, events and deliveries."""

    def __init__(self, weir: Weir, access: Access) -> None:
        self._weir = weir
        self._path = f"/v1/projects/{access.project}"
        self._headers = {"authorization": f"Bearer {access.key}"}

    async def subscribe(self, name: str, sink: str, **delivery: Any) -> str:
        """Deliver everything to `sink`; the subscription's id."""
        made = await self._call(
            "POST", "subscriptions", json={"name": name, "filters": [], "sink": sink, "delivery": delivery}
        )
        identity: str = made["id"]
        return identity

    async def unsubscribe(self, subscription: str) -> None:
        """Deliver nothing more for it."""
        await self._call("DELETE", f"subscriptions/{subscription}")

    async def events(self) -> list[dict[str, Any]]:
        """All that are stored."""
        return await self._all("events", {})

    async def deliveries(self, subscription: str, status: str | None = None) -> list[dict[str, Any]]:
        """All of one subscription."""
        return await self._all(
            "deliveries", {"subscription": subscription} | ({"status": status} if status else {})
        )

    async def waiting(self, subscription: str) -> set[str]:
        """The uids of events whose delivery has not ended."""
        return {
            delivery["event"]
            for status in WAITING
            for delivery in await self.deliveries(subscription, status)
        }

    async def _all(self, what: str, parameters: Mapping[str, str]) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            more = {"limit": str(PAGE)} | ({"cursor": cursor} if cursor else {})
            page = await self._call("GET", what, params={**parameters, **more})
            items += page["items"]
            cursor = page["next"]
            if cursor is None:
                return items

    async def _call(self, method: str, what: str, **options: Any) -> Any:
        function = "subscriptions" if what.startswith("subscriptions") else "explore"
        url = f"{self._weir.url(function)}{self._path}/{what}"
        async with (
            aiohttp.ClientSession(headers=self._headers) as session,
            session.request(method, url, **options) as answer,
        ):
            answer.raise_for_status()
            return None if answer.status == 204 else await answer.json()


@dataclass(frozen=True)
class Found:
    """What there is.

    `stored` are uids. For each subscription whose receiver works `arrived` has ids, and `waiting` the uids whose
    delivery has not ended; for each other one `written` has the uids with a delivery in any state.
    """

    stored: Collection[str]
    arrived: Sequence[Collection[str]]
    waiting: Sequence[Collection[str]]
    written: Sequence[Collection[str]] = ()


@dataclass
class Account:
    """Counts of acknowledged events. `lost` are the ids of those that are neither delivered nor waiting."""

    acknowledged: int = 0
    stored: int = 0
    delivered: int = 0
    waiting: int = 0
    lost: list[str] = field(default_factory=list)


async def look_up(api: Api, received: Mapping[str, Collection[str]], others: Sequence[str]) -> Found:
    """Ask Weir. `received` has the ids that arrived for each subscription whose receiver works."""
    return Found(
        stored={item["uid"] for item in await api.events()},
        arrived=list(received.values()),
        waiting=[await api.waiting(subscription) for subscription in received],
        written=[{delivery["event"] for delivery in await api.deliveries(other)} for other in others],
    )


def account(acknowledged: Mapping[str, str], found: Found) -> Account:
    """Account for every event of `acknowledged` (id to uid). One is delivered when it arrived everywhere."""
    made = Account(acknowledged=len(acknowledged))
    for identity, uid in acknowledged.items():
        missing = [
            waiting
            for arrived, waiting in zip(found.arrived, found.waiting, strict=True)
            if identity not in arrived
        ]
        made.stored += uid in found.stored
        if (
            uid not in found.stored
            or any(uid not in waiting for waiting in missing)
            or any(uid not in written for written in found.written)
        ):
            made.lost.append(identity)
        elif missing:
            made.waiting += 1
        else:
            made.delivered += 1
    made.lost.sort()
    return made

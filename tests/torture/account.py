"""What became of the events, read from Weir's API and compared with what receivers saw."""

from collections.abc import Mapping, Sequence
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


@dataclass
class Account:
    """Counts of acknowledged events. `lost` are the ids of those that are neither delivered nor waiting."""

    acknowledged: int = 0
    stored: int = 0
    delivered: int = 0
    waiting: int = 0
    lost: list[str] = field(default_factory=list)


async def account(
    api: Api,
    acknowledged: Mapping[str, str],
    received: Mapping[str, set[str]],
    others: Sequence[str],
) -> Account:
    """Look up every event of `acknowledged` (id to uid).

    `received` has, for each subscription whose receiver works, the ids that arrived there; of `others` a
    delivery in any state will do. An event is delivered when it arrived at all of `received`.
    """
    stored = {item["uid"] for item in await api.events()}
    waiting = {subscription: await api.waiting(subscription) for subscription in received}
    written = [{delivery["event"] for delivery in await api.deliveries(other)} for other in others]
    found = Account(acknowledged=len(acknowledged))
    for identity, uid in acknowledged.items():
        missing = [subscription for subscription, ids in received.items() if identity not in ids]
        found.stored += uid in stored
        if (
            uid not in stored
            or any(uid not in waiting[subscription] for subscription in missing)
            or any(uid not in uids for uids in written)
        ):
            found.lost.append(identity)
        elif missing:
            found.waiting += 1
        else:
            found.delivered += 1
    found.lost.sort()
    return found

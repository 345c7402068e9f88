"""Subscriptions by their id or name."""

from typing import Any
from urllib.parse import quote
from uuid import UUID

from cli.api import Api
from cli.errors import NOT_FOUND, CommandError


def resolve(api: Api, wanted: str) -> dict[str, Any]:
    """The subscription with that id or name. Raises CommandError."""
    try:
        UUID(wanted)
    except ValueError:
        found = next((s for s in api.pages("/subscriptions", {}) if s["name"] == wanted), None)
        if found is None:
            raise CommandError(
                f"there is no subscription {wanted!r}",
                code=NOT_FOUND,
                hint="`weir subscriptions ls` lists them",
            ) from None
        return found
    answer: dict[str, Any] = api.get(f"/subscriptions/{quote(wanted)}")
    return answer


def identity_of(api: Api, wanted: str) -> str:
    """The id of the subscription of that name; an id stands for itself, whether it is there or not."""
    try:
        return str(UUID(wanted))
    except ValueError:
        return str(resolve(api, wanted)["id"])

"""The pages of the console, and where each has something on it, has nothing, and fails to have anything.

`PLACES` names every route; a test holds it against the router, so that a page that comes is looked at too.
"""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from tests.support.console import Console


@dataclass(frozen=True)
class Things:
    """What `furnish` put into a project, as addresses name it."""

    event: str
    delivery: str
    subscription: str
    written: tuple[str, ...]
    """Subscriptions with a filter in CESQL, and in CEL with all that can be said of a delivery."""
    replay: str
    entry: str


@dataclass(frozen=True)
class Place:
    """A page below `/p/PROJECT/`, or at an address of its own where that begins with a slash."""

    shown: Callable[[Things], tuple[str, ...]]
    """Where there is something."""
    bare: tuple[str, ...] = ()
    """Where a project with nothing in it has nothing, for each reason."""
    unmatched: tuple[str, ...] = ()
    """Where a project has much, and nothing of what is asked for."""
    asks: bool = True
    """Whether it shows what it has to ask for: then it loads, and can fail to."""


def _at(*addresses: str) -> Callable[[Things], tuple[str, ...]]:
    return lambda _: addresses


NOBODY = "01a20000-0000-7000-8000-000000000000"
"""The id of nothing."""
LONG_AGO = "since=2020-01-01T00:00:00Z&until=2020-01-02T00:00:00Z"

PLACES: dict[str, Place] = {
    "start": Place(_at("start"), bare=("start",)),
    "overview": Place(_at("overview"), bare=("overview",), unmatched=(f"overview?{LONG_AGO}",)),
    "flow": Place(
        lambda things: ("flow", f"flow?show=errors&focus=subscription:{things.subscription}"),
        bare=("flow",),
        unmatched=(f"flow?{LONG_AGO}",),
    ),
    "events": Place(
        lambda things: (
            "events",
            f"events?event={things.event}",
            "events?facets=open&type=e2e.seen",
        ),
        bare=("events", f"events?{LONG_AGO}"),
        unmatched=(
            "events?type=e2e.nothing",
            "events?until=2026-01-01T00:00:00Z",
            "events?facet=a:b&schemaFault=true&producer=source:seen",
            "events?q=nothing+has+this",
        ),
    ),
    "event": Place(
        lambda things: (
            f"events/{things.event}",
            f"events/{things.event}?subscriptions=now",
            f"events/{things.event}?tab=related&delivery={things.delivery}",
            f"events/{things.event}?tab=attributes",
            f"events/{things.event}?tab=diff",
        ),
        unmatched=(f"events/{NOBODY}",),
    ),
    "live": Place(
        _at("live", "live?cel=type+%3D%3D"),
        bare=("live",),
        unmatched=("live?sql=type+%3D+%27e2e.nothing%27&rate=5",),
    ),
    "deliveries": Place(
        lambda things: (
            "deliveries",
            f"deliveries?delivery={things.delivery}",
            "deliveries?statusCode=200&type=e2e.seen",
            "deliveries?group=cause",
        ),
        bare=("deliveries", "deliveries?status=dead", "deliveries?group=cause&status=dead"),
        unmatched=("deliveries?status=cancelled", "deliveries?type=e2e.nothing"),
    ),
    "replays": Place(_at("replays"), bare=("replays",), unmatched=("replays?state=paused",)),
    "replay": Place(lambda things: (f"replays/{things.replay}",), unmatched=(f"replays/{NOBODY}",)),
    "sources": Place(_at("settings/sources"), bare=("settings/sources",)),
    "source-new": Place(_at("settings/new-source", "settings/new-source?kind=hmac")),
    "source": Place(_at("settings/sources/seen"), unmatched=("settings/sources/nothing",)),
    "producers": Place(_at("producers"), bare=("producers",)),
    "producer-new": Place(_at("new-producer"), asks=False),
    "producer": Place(_at("producers/seen"), unmatched=("producers/nothing",)),
    "types": Place(_at("types"), bare=("types",)),
    "type-new": Place(_at("new-type"), asks=False),
    "type": Place(_at("types/e2e.seen", "types/e2e.seen?version=1"), unmatched=("types/e2e.nothing",)),
    "subscriptions": Place(_at("subscriptions"), bare=("subscriptions",)),
    "subscription-new": Place(_at("subscriptions/new"), asks=False),
    "subscription": Place(
        lambda things: (
            f"subscriptions/{things.subscription}",
            f"subscriptions/{things.subscription}?view=yaml",
            *(f"subscriptions/{one}" for one in things.written),
        ),
        unmatched=(f"subscriptions/{NOBODY}",),
    ),
    "audit": Place(
        lambda things: ("audit", f"audit?entry={things.entry}"),
        unmatched=("audit?q=nothing+has+this&kind=type",),
    ),
    "settings": Place(_at("settings/general")),
    "members": Place(_at("settings/members")),
    "roles": Place(_at("settings/roles")),
    "role-new": Place(_at("settings/new-role")),
    "role": Place(_at("settings/roles/seen"), unmatched=("settings/roles/nothing",)),
    "keys": Place(
        _at("settings/keys", "settings/keys?create=yes&producer=seen", "settings/keys?state=revoked"),
        unmatched=("settings/keys?q=nothing-like-it",),
    ),
    "data": Place(_at("settings/data", "settings/data?day=2024-06-03"), bare=("settings/data",)),
    "account": Place(_at("account")),
    "device": Place(_at("/device"), asks=False),
    "none": Place(_at("/none"), asks=False),
    "signin": Place(_at("/sign-in"), asks=False),
    "signin-forgotten": Place(_at("/sign-in/forgotten"), asks=False),
    "signin-link": Place(_at("/sign-in/link"), asks=False),
    "signin-provider": Place(_at("/sign-in/oidc"), asks=False),
    "signin-link-provider": Place(_at("/sign-in/oidc/link"), asks=False),
    "invitation": Place(_at("/invitation"), asks=False),
    "lost": Place(_at("/nothing/is/here"), asks=False),
}
"""Every page by the name of its route."""

ELSEWHERE = {
    "home": "sends everybody on to a project",
    "own-account": "sends everybody on to the account page",
    "away": "is shown where the session cannot be asked for",
}
"""Routes without an address that shows them."""


def routes(page: Page) -> set[str]:
    """The names of all routes that show a page, as the console's own router has them."""
    names: list[str] = page.evaluate(
        "document.querySelector('#app').__vue_app__.config.globalProperties.$router.getRoutes()"
        ".filter(r => r.components && r.name).map(r => String(r.name))"
    )
    return set(names)


def furnish(console: Console) -> Things:
    """Put one of everything into the project of `console`."""
    ask = console.ask
    sink = f"{console.context['url']}/sink/{console.project}"
    seen = ask(
        "POST", "/subscriptions", {"name": "seen", "sink": sink, "filters": [{"exact": {"type": "e2e.seen"}}]}
    )
    ask("POST", "/sources", {"name": "seen", "kind": "hmac"})
    ask("POST", "/roles", {"name": "seen", "permissions": ["events:read"]})
    gone = ask("POST", "/keys", {"name": "seen", "scopes": ["events:read"]})
    ask("DELETE", f"/keys/{gone['id']}", None)
    ask("POST", "/producers", {"name": "seen", "sources": ["/e2e*"], "types": ["e2e.*"]})
    schema = {"type": "object", "properties": {"a": {"type": "array"}}}
    for version in (schema, {**schema, "required": ["a"]}):
        ask("PUT", "/types/e2e.seen", {"schemaMode": "warn", "facets": {"a": "/a"}, "schema": version})
    event = console.send("e2e.seen", {"a": [1, None, "b"]})
    cesql = {"filters": [{"sql": "LENGTH(type) > 4 AND region <> 'us'"}]}
    cel = {
        "filters": [{"cel": "type == 'e2e.seen' && size(data.a) > 1"}],
        "transform": {"jsonata": '{"data": data.a}'},
        "auth": {"type": "basic", "username": "weir", "password": "secret"},
        "delivery": {
            "batchSize": 10,
            "headers": {"x-tenant": "acme"},
            "ceOverrides": {"extensions": {"a": "b"}},
        },
        "signingSecrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    }
    written = [
        ask("POST", "/subscriptions", {"name": name, "sink": sink, **body})["id"]
        for name, body in (("by-cesql-seen", cesql), ("by-cel-seen", cel))
    ]
    ask("POST", "/holds", {"name": "seen"})
    replay = ask("POST", "/replays", {"select": {"event": event["uid"]}, "reason": "to be seen"})
    entry = ask("GET", "/audit?action=type.changed", None)["items"][0]
    return Things(
        event=event["uid"],
        delivery=event["deliveries"][0]["id"],
        subscription=seen["id"],
        written=tuple(written),
        replay=replay["id"],
        entry=entry["id"],
    )

"""What lists of events and deliveries are narrowed by: the same options wherever something is looked for."""

import functools
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar

import click

from cli.api import Api
from cli.errors import NOT_FOUND, CommandError
from cli.lookup import identity_of
from cli.options import Instant

P = ParamSpec("P")
R = TypeVar("R")

Filters = dict[str, Any]
"""Parameters of a list by their names in the API; those that were not given are not there."""

OUTCOMES: Mapping[str, tuple[str, ...]] = {
    "delivered": ("delivered",),
    "retrying": ("retrying",),
    "pending": ("pending",),
    "dead": ("dead",),
    "cancelled": ("cancelled",),
    "unmatched": ("unmatched",),
    "failed": ("dead", "retrying"),
}
"""`failed` is what somebody has to look at."""

STATUSES = ("pending", "retrying", "delivered", "dead", "cancelled")

_COMMON: tuple[Callable[[Any], Any], ...] = (
    click.option("--type", "type", multiple=True, help="Exactly this type; given again, any of them."),
    click.option("--type-prefix", "typePrefix", help="A type that begins so."),
    click.option("--source", "source", multiple=True, help="Exactly this source."),
    click.option("--source-prefix", "sourcePrefix", help="A source that begins so."),
    click.option("--id", "id", help="Exactly this id, as the producer gave it."),
    click.option("--subject", "subject", multiple=True, help="Exactly this subject."),
    click.option("--subject-prefix", "subjectPrefix", help="A subject that begins so."),
    click.option(
        "--producer", "producer", multiple=True, help="Sent by exactly this one, such as source:NAME or key:ID."
    ),
    click.option(
        "--ext", "extension", multiple=True, metavar="NAME:VALUE", help="With this extension attribute."
    ),
    click.option(
        "--facet", "facet", multiple=True, metavar="NAME:VALUE", help="With this value of a facet of its type."
    ),
    click.option("--subscription", "subscription", multiple=True, metavar="NAME|ID", help="For this subscription."),
    click.option("--sink", "sink", multiple=True, metavar="URL", help="To exactly this address."),
    click.option(
        "--code", "statusCode", multiple=True, metavar="503|5xx|none", help="What the last attempt got."
    ),
    click.option("--error", "error", help="Text in the error of the last attempt, in any case."),
    click.option("--since", "since", type=Instant(), help="Received at or after: an instant, or 1h for an hour ago."),
    click.option("--until", "until", type=Instant(), help="Received before."),
)  # fmt: skip

_OF_EVENTS: tuple[Callable[[Any], Any], ...] = (
    click.option("--outcome", "outcome", multiple=True, type=click.Choice(tuple(OUTCOMES)), help="How it stands; failed is dead or retrying."),
    click.option("--faulty", "schemaFault", is_flag=True, help="Only those that the schema of their type warned of."),
    click.option("-q", "q", help="Text in type, source, subject, id or data, in any case."),
)  # fmt: skip

_OF_DELIVERIES: tuple[Callable[[Any], Any], ...] = (
    click.option("--status", "status", type=click.Choice(STATUSES), help="In this status."),
    click.option("--event", "event", help="Of the event with this uid."),
    click.option("-q", "q", help="Text in sink, subscription, error, type or subject, in any case."),
)

_ALL = (*_COMMON, *_OF_EVENTS, *_OF_DELIVERIES[:2])


def event_filters(command: Callable[Concatenate[Filters, P], R]) -> Callable[P, R]:
    """Add the options of events; the command gets what was said as its first argument."""
    return _with((*_COMMON, *_OF_EVENTS), command)


def delivery_filters(command: Callable[Concatenate[Filters, P], R]) -> Callable[P, R]:
    """Add the options of deliveries."""
    return _with((*_COMMON, *_OF_DELIVERIES), command)


def all_filters(command: Callable[Concatenate[Filters, P], R]) -> Callable[P, R]:
    """Add the options of both."""
    return _with(_ALL, command)


def _with(
    options: tuple[Callable[[Any], Any], ...], command: Callable[Concatenate[Filters, P], R]
) -> Callable[P, R]:
    names: set[str] = set()
    others = {parameter.name for parameter in getattr(command, "__click_params__", ())}

    @functools.wraps(command)
    def narrowed(*args: Any, **kwargs: Any) -> R:
        filters = {name: kwargs.pop(name) for name in names & kwargs.keys()}
        return command(
            {name: _listed(name, value) for name, value in filters.items() if value not in (None, (), False)},
            *args,
            **kwargs,
        )

    for option in reversed(options):
        narrowed = option(narrowed)
    names.update({parameter.name for parameter in vars(narrowed)["__click_params__"]} - others)
    return narrowed


def _listed(name: str, value: Any) -> Any:
    if name == "outcome":
        return list(dict.fromkeys(status for one in value for status in OUTCOMES[one]))
    if value is True:
        return "true"
    return list(value) if isinstance(value, tuple) else value


def named(api: Api, filters: Filters) -> Filters:
    """The same with ids in place of the names of subscriptions. Raises CommandError."""
    if "subscription" not in filters:
        return filters
    return {**filters, "subscription": [identity_of(api, one) for one in filters["subscription"]]}


def saved(api: Api, wanted: str) -> dict[str, Any]:
    """The saved search of that name or id. Raises CommandError."""
    found: dict[str, Any] | None = next(
        (one for one in api.pages("/searches", {}) if wanted in (one["name"], one["id"])), None
    )
    if found is None:
        raise CommandError(
            f"there is no search {wanted!r}", code=NOT_FOUND, hint="`weir searches ls` lists them"
        )
    return found


def query_of(search: Mapping[str, Any]) -> Filters:
    """What a saved search asks of its list now: `last` counts back from here."""
    query = dict(search["query"])
    if (ago := query.pop("last", None)) is not None:
        number, unit = re.fullmatch(r"(\d+)([smhd])", ago).groups()  # type: ignore[union-attr]
        seconds = int(number) * {"s": 1, "m": 60, "h": 3600, "d": 86_400}[unit]
        query["since"] = (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()
    if "schemaFault" in query:
        query["schemaFault"] = str(query["schemaFault"]).lower()
    return query


def tell_how_far(answer: Mapping[str, Any], output: str) -> None:
    """Say on stderr where a search ended before it was through."""
    searched = answer.get("searched")
    if searched and answer.get("next") and output in {"table", "wide", "name"}:
        click.echo(f"looked through {searched['count']:,}, back to {searched['until']}", err=True)

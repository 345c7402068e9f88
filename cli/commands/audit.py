"""`weir audit`: who changed what, and whether the log holds."""

from collections.abc import Mapping, Sequence
from typing import IO, Any
from urllib.parse import quote

import click

from cli.api import Api
from cli.contexts import current
from cli.errors import FAILED, USAGE, CommandError
from cli.options import Instant, api_options, page_options
from cli.output import Column, output_option, show, show_list


def _via(row: Mapping[str, Any]) -> str:
    agent = row["agent"] or ""
    if row["via"] == "command":
        return f"weir {agent.partition('/')[2].partition(' ')[0]}".strip()
    return agent if row["via"] == "operator" else str(row["via"])


COLUMNS: list[Column] = [
    ("at", "at"),
    ("who", "actor.name"),
    ("did", "action"),
    ("to", "thing.name"),
    ("via", _via),
]
WIDE: list[Column] = [
    ("from", "address"),
    ("role", "role"),
    ("number", "sequence"),
    ("id", "id"),
    ("thing id", "thing.id"),
]

REASONS = {
    "missing": "entries before it are not there",
    "changed": "it says something else than it did",
    "relinked": "it does not follow the entry before it",
    "head": "from there on entries are not there that were",
}

_FILTERS = (
    click.option("--actor", help="Whose: user:ID, key:ID, operator:NAME, weir:NAME, or a name."),
    click.option("--action", "actions", multiple=True, help="Only this, such as subscription.changed."),
    click.option("--kind", "kinds", multiple=True, help="Only things of this kind, such as key."),
    click.option("--thing", help="Only of the thing of this id or name."),
    click.option("--since", type=Instant(), help="From this instant on, or for so long: 7d."),
    click.option("--until", type=Instant(), help="Before this instant."),
    click.option("-q", "text", help="Text in names, ids, actions, addresses and values."),
)


def _filters(command: Any) -> Any:
    for option in reversed(_FILTERS):
        command = option(command)
    return command


def _query(
    *,
    actor: str | None,
    actions: Sequence[str],
    kinds: Sequence[str],
    thing: str | None,
    since: str | None,
    until: str | None,
    text: str | None,
) -> dict[str, object]:
    return {
        "actor": actor,
        "action": list(actions),
        "kind": list(kinds),
        "thing": thing,
        "since": since,
        "until": until,
        "q": text,
    }


@click.group()
def audit() -> None:
    """See who changed what, export it, and verify that nothing was taken out.

    \b
    Example:
      weir audit ls --since 7d --kind subscription
    """  # noqa: D301 \b keeps click from joining the lines


@audit.command("ls")
@_filters
@page_options
@output_option
@api_options
def list_audit(api: Api, /, limit: int, cursor: str | None, output: str, **filters: Any) -> None:
    """List changes, newest first; sign-ins of the project's members are among them.

    \b
    Example:
      weir audit ls --since 24h
      weir audit ls --actor 'Mara Lindqvist' --action subscription.changed -o wide
      weir audit ls -q crm-sync.acme.dev
    """  # noqa: D301
    answer = api.get("/audit", {**_query(**filters), "limit": limit, "cursor": cursor})
    empty = "nothing changed"
    if answer["next"] and not answer["items"]:
        empty = f"nothing in {answer['searched']['count']} entries; go on with --cursor {answer['next']}"
    show_list(output, answer, COLUMNS, wide=WIDE, name="id", empty=empty)


@audit.command("get")
@click.argument("identity", metavar="ID")
@output_option
@api_options
def get_entry(api: Api, identity: str, output: str) -> None:
    """Show one change, with what there was and what there is.

    \b
    Example:
      weir audit get 01942f6e-7c1a-7abc-9def-0123456789ab -o yaml
    """  # noqa: D301
    entry = api.get(f"/audit/{quote(identity, safe='')}")
    columns: list[Column] = [*COLUMNS, ("before", "before"), ("after", "after")]
    show(output, entry, rows=[entry], columns=columns, wide=WIDE, name=str(entry["id"]))


@audit.command("export")
@_filters
@click.option("--csv", "as_csv", is_flag=True, help="As CSV. Only NDJSON can be verified.")
@click.option("--out", type=click.File("wb", lazy=True), default="-", help="Where to; stdout without.")
@api_options
def export_audit(api: Api, /, as_csv: bool, out: IO[bytes], **filters: Any) -> None:
    """Write the project's changes out, one a line, the first one first.

    Without filters it is the whole chain, which `weir audit verify FILE` can verify anywhere.

    \b
    Example:
      weir audit export --out audit.ndjson
      weir audit export --csv --since 30d --kind key
    """  # noqa: D301
    query = {**_query(**filters), "format": "csv" if as_csv else "ndjson"}
    for piece in api.stream("/audit/export", query):
        out.write(piece)
    out.flush()


@audit.command("verify")
@click.argument("file", type=click.Path(allow_dash=True, dir_okay=False), required=False)
@click.option("--head", help="NUMBER:HASH of an earlier verification, which has to be there still.")
@click.option("--context", "context_name", help="Context to use instead of the chosen one.")
@click.option("--project", "project_name", help="Project to use instead of the context's.")
def verify_audit(
    file: str | None, head: str | None, context_name: str | None, project_name: str | None
) -> None:
    """Compute the chain again, and say where it ends or where it does not hold.

    Without FILE, Weir computes it. With the FILE of an export it is computed here, and nothing is believed. Keep the
    head that is printed: given to a later verification it shows that nobody wrote the chain anew. Ends with 1 when it
    does not hold.

    \b
    Example:
      weir audit verify
      weir audit verify audit.ndjson
      weir audit verify --head 1206:6e613eae2454b2fd0f2c4a2b6d1e8c7b5a4938271605f4e3d2c1b0a998877665
    """  # noqa: D301
    try:
        noted = None if head is None else _read_head(head)
    except ValueError as error:
        raise CommandError(
            f"{head!r} is no head: it is a number, a colon and 64 hexadecimal digits", code=USAGE
        ) from error
    if file is not None:
        try:
            with click.open_file(file, "rb") as opened:
                rows, end = _verify_file(opened, noted)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}", code=USAGE) from error
    else:
        with Api(current(context_name, project_name)) as api:
            rows, end = _verify_there(api, head)
    click.echo(f"holds: {rows} {'entry' if rows == 1 else 'entries'}, head {end}")


def _read_head(text: str) -> tuple[int, str]:
    number, _, digest = text.partition(":")
    if len(bytes.fromhex(digest)) != 32:
        raise ValueError
    return int(number), digest.lower()


def _verify_there(api: Api, head: str | None) -> tuple[int, str]:
    rows = after = 0
    while True:
        said = api.get("/audit/verify", {"after": after, "head": head})
        rows += said["rows"]
        if said["broken"] is not None:
            raise _broken(said["broken"]["sequence"], said["broken"]["reason"])
        if said["next"] is None:
            return rows, f"{said['head']['sequence']}:{said['head']['hash']}"
        after = said["next"]


def _verify_file(file: IO[bytes], noted: tuple[int, str] | None) -> tuple[int, str]:
    from shared.audit import chain

    seen: dict[int, str] = {}

    def rows() -> Any:
        for number, line in enumerate(file, 1):
            try:
                row = chain.read(line)
            except ValueError as error:
                raise CommandError(f"line {number} is no entry of an export: {error}") from error
            if noted is not None and int(row["sequence"]) == noted[0]:
                seen[noted[0]] = str(row["hash"])
            yield row

    verdict = chain.verify(rows())
    if verdict.broken is not None:
        raise _broken(verdict.broken.sequence, verdict.broken.reason)
    if noted is not None and seen.get(noted[0]) != noted[1]:
        raise _broken(noted[0], "head")
    return verdict.rows, f"{verdict.sequence}:{verdict.hash}"


def _broken(sequence: int, reason: str) -> CommandError:
    return CommandError(
        f"the log does not hold at entry {sequence}: {REASONS[reason]}",
        code=FAILED,
        hint="keep an export as it is now, and look who could write to the database",
    )

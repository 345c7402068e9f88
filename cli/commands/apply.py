"""`weir subscriptions apply` and `diff`: subscriptions kept as files; `test`: what one lets through."""

import json
from collections.abc import Sequence
from typing import Any

import click

from cli.api import Api
from cli.errors import FAILED, INVALID, CommandError
from cli.lookup import resolve
from cli.manifests import Step, plan, read_manifests, said
from cli.options import api_options, confirm, yes_option
from cli.output import Column, output_option, show

files_option = click.option(
    "-f",
    "--file",
    "paths",
    multiple=True,
    required=True,
    metavar="PATH",
    help="A file or a folder of files, YAML or JSON; - for standard input. May be given several times.",
)
last_option = click.option(
    "--last", type=click.IntRange(1, 500), default=500, show_default=True, help="Stored events to try."
)
prune_option = click.option("--prune", is_flag=True, help="Delete the subscriptions that no file has.")

DONE = {"create": "created", "change": "changed", "keep": "unchanged", "delete": "deleted"}
DUE = {"create": "to create", "change": "to change", "keep": "unchanged", "delete": "to delete"}
SIGNS = {"create": "+", "change": "~", "keep": " ", "delete": "-"}
COLUMNS: list[Column] = [
    ("subscription", "name"),
    ("action", "action"),
    ("changes", lambda row: ", ".join(d["pointer"] for d in row["differences"]) or None),
    ("of last", "checked"),
    ("matched", "matched"),
    ("more", "added"),
    ("fewer", "removed"),
]


@click.command("apply")
@files_option
@prune_option
@yes_option
@output_option
@api_options
def apply_files(api: Api, *, paths: tuple[str, ...], prune: bool, yes: bool, output: str) -> None:
    """Make, change and with --prune delete subscriptions until they are as the files say.

    A subscription is known by its name. What a file does not say gets its default, as by the API; name, state,
    secrets, credentials and transform stay as they are. Every filter is tried before anything is changed, and where
    something could not be created or changed nothing is deleted.

    \b
    Example:
      weir subscriptions apply -f subs/
      weir subscriptions apply -f subs/ --prune --yes
    """  # noqa: D301
    steps = _planned(api, paths, prune=prune)
    for step in steps:
        _try(api, step, 1)
    doomed = [step.name for step in steps if step.action == "delete"]
    if doomed:
        listed = ", ".join(doomed[:5]) + (f" and {len(doomed) - 5} more" if len(doomed) > 5 else "")
        count = "1 subscription" if len(doomed) == 1 else f"{len(doomed)} subscriptions"
        confirm(f"Delete {count} that no file has ({listed}), and cancel what waits for them?", yes=yes)
    rows: list[dict[str, Any]] = []
    failed: list[str] = []
    code = INVALID
    for step in steps:
        row: dict[str, Any] = {"name": step.name, "action": DONE[step.action], "id": None}
        if failed and step.action == "delete":
            # It may be the old name of what could not be made.
            rows.append(row | {"action": "not deleted"})
            continue
        try:
            row["id"] = _do(api, step)
        except CommandError as error:
            where = step.wanted.where if step.wanted is not None else step.name
            failed += [f"{where}: {error.message}", *(f"  {detail}" for detail in error.details)]
            code = error.exit_code
            row["action"] = "failed"
        rows.append(row)
    columns: list[Column] = [("subscription", "name"), ("action", "action")]
    show(output, {"items": rows}, rows=rows, columns=columns, wide=[("id", "id")], name=lambda r: r["name"])
    _sum_up([str(row["action"]) for row in rows])
    if failed:
        raise CommandError(
            "not everything could be done; run it again when this is mended", code=code, details=tuple(failed)
        )


@click.command("diff")
@files_option
@prune_option
@last_option
@click.option("--exit-code", is_flag=True, help="End with 1 when there is a difference.")
@output_option
@api_options
def diff_files(
    api: Api, *, paths: tuple[str, ...], prune: bool, last: int, exit_code: bool, output: str
) -> None:
    """Show what apply would change, and which of the last stored events that touches.

    \b
    Example:
      weir subscriptions diff -f subs/
      weir subscriptions diff -f subs/ --prune --last 200 -o json
    """  # noqa: D301
    rows = []
    for step in _planned(api, paths, prune=prune):
        tried = _try(api, step, last)
        row: dict[str, Any] = {
            "name": step.name,
            "action": step.action,
            "differences": [_difference(*one) for one in step.differences],
            "sendsSecrets": step.sends_secrets,
            **{name: tried[name] for name in ("checked", "matched", "added", "removed")},
        }
        rows.append(row)
    changed = [row for row in rows if row["action"] != "keep"]
    if output in {"table", "wide"}:
        _print_diff(changed)
    else:
        show(output, {"items": rows}, rows=rows, columns=COLUMNS, name=lambda row: str(row["name"]))
    _sum_up([DUE[row["action"]] for row in rows])
    if exit_code and changed:
        raise SystemExit(FAILED)


@click.command("test")
@click.argument("subscription")
@last_option
@click.option("--missed", is_flag=True, help="List the events that it does not let through as well.")
@output_option
@api_options
def test_subscription(api: Api, *, subscription: str, last: int, missed: bool, output: str) -> None:
    """Tell which of the last stored events a subscription lets through.

    \b
    Example:
      weir subscriptions test billing --last 500
      weir subscriptions test billing --missed -o wide
    """  # noqa: D301
    found = resolve(api, subscription)
    answer = api.call("POST", "/subscriptions/check", {"filters": found["filters"], "last": last})
    columns: list[Column] = [
        ("uid", "uid"),
        ("received", "receivedAt"),
        ("type", "type"),
        ("source", "source"),
        ("subject", "subject"),
    ]
    if missed:
        columns[1:1] = [("matched", "matched")]
        columns += [("because", "detail")]
    rows = [item for item in answer["items"] if missed or item["matched"]]
    show(output, answer, rows=rows, columns=columns, name=lambda row: str(row["uid"]))
    counts = f"{answer['matched']} of the last {answer['checked']} match {found['name']}"
    if answer["errors"]:
        counts += f"; {answer['errors']} errors"
    click.echo(counts if answer["complete"] else f"{counts}; older events were left out", err=True)


def _planned(api: Api, paths: Sequence[str], *, prune: bool) -> list[Step]:
    manifests = read_manifests(paths)
    if not manifests:
        # With --prune, too: an empty folder is a wrong path more often than the wish to delete everything.
        raise CommandError("there is no subscription in these files", code=INVALID)
    return plan(manifests, api.pages("/subscriptions", {}), prune=prune)


def _try(api: Api, step: Step, last: int) -> dict[str, Any]:
    """What the filters of a step say of the last events, and what that differs from what there is.

    Raises CommandError with code 5 for filters that cannot be used.
    """
    nothing: dict[str, Any] = {"checked": None, "matched": None, "added": None, "removed": None}
    if step.action == "keep" or (step.action == "delete" and step.found is None):
        return nothing
    filters = said(step.wanted)["filters"] if step.wanted is not None else (step.found or {})["filters"]
    body: dict[str, Any] = {"filters": filters, "last": last}
    if step.wanted is not None and step.found is not None:
        body["subscription"] = step.found["id"]
    try:
        answer = api.call("POST", "/subscriptions/check", body)
    except CommandError as error:
        where = step.wanted.where if step.wanted is not None else step.name
        raise CommandError(
            f"{where}: {step.name}: {error.message}",
            code=error.exit_code,
            details=error.details,
            hint="nothing was changed",
        ) from error
    told = {name: answer[name] for name in nothing}
    if step.action == "create":
        told["added"], told["removed"] = told["matched"], 0
    elif step.action == "delete":
        told["added"], told["removed"], told["matched"] = 0, told["matched"], 0
    return told


def _do(api: Api, step: Step) -> str | None:
    """Take a step; the id of its subscription."""
    if step.action == "create":
        assert step.wanted is not None
        return str(api.call("POST", "/subscriptions", step.wanted.body)["id"])
    assert step.found is not None
    path = f"/subscriptions/{step.found['id']}"
    if step.action == "change":
        assert step.wanted is not None
        api.call("PUT", path, step.wanted.body)
    elif step.action == "delete":
        api.call("DELETE", path)
    return str(step.found["id"])


def _difference(pointer: str, before: Any, after: Any) -> dict[str, Any]:
    from shared.core.pointers import MISSING

    sides = {"before": before, "after": after}
    return {"pointer": pointer} | {name: value for name, value in sides.items() if value is not MISSING}


def _print_diff(rows: Sequence[dict[str, Any]]) -> None:
    """Each subscription with what changes, as a diff, and how many events it gains and loses."""
    for row in rows:
        colour = {"create": "green", "delete": "red"}.get(row["action"], "yellow")
        reach = f"+{row['added']} -{row['removed']} of the last {row['checked']} events"
        click.echo(click.style(f"{SIGNS[row['action']]} {row['name']}", fg=colour, bold=True) + f"  {reach}")
        for one in row["differences"]:
            click.echo(f"    {one['pointer']}")
            for sign, side, tint in (("-", "before", "red"), ("+", "after", "green")):
                if side in one:
                    text = json.dumps(one[side], ensure_ascii=False)
                    click.echo(click.style(f"    {sign} {text}", fg=tint))
        if row["sendsSecrets"]:
            click.echo("    ~ secrets, which cannot be compared, are sent again")


def _sum_up(actions: Sequence[str]) -> None:
    counts = {action: actions.count(action) for action in dict.fromkeys(actions)}
    told = ", ".join(f"{count} {action}" for action, count in counts.items())
    click.echo(told or "nothing to do", err=True)

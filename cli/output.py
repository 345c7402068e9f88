"""How results are written: data on stdout, in the form that `-o` names."""

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import click

FORMS = ("table", "wide", "json", "yaml", "ndjson", "name")

Column = tuple[str, str | Callable[[Mapping[str, Any]], Any]]
"""A heading and where its value is: a path with dots, or a function of the row."""

output_option = click.option(
    "-o",
    "--output",
    type=click.Choice(FORMS),
    default="table",
    show_default=True,
    help="Form of the result.",
)


def value_at(row: Mapping[str, Any], path: str) -> Any:
    """The value at a path with dots; None where there is none."""
    value: Any = row
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _cell(row: Mapping[str, Any], where: str | Callable[[Mapping[str, Any]], Any]) -> str:
    value = where(row) if callable(where) else value_at(row, where)
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping | list):
        value = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # A control character in data must not reach the terminal.
    return "".join(c if c.isprintable() else "·" for c in str(value))


def table(rows: Iterable[Mapping[str, Any]], columns: Sequence[Column], *, cut: bool) -> str:
    """Rows under headings; with `cut`, lines end at the terminal's width."""
    cells = [[name.upper() for name, _ in columns]]
    cells += [[_cell(row, where) for _, where in columns] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    lines = ("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in cells)
    if cut and sys.stdout.isatty():
        width = shutil.get_terminal_size().columns
        lines = (line if len(line) <= width else line[: width - 1] + "…" for line in lines)
    return "\n".join(lines)


def _yaml(value: Any) -> str:
    import yaml

    return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True)).rstrip()


def show(
    output: str,
    value: Any,
    *,
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[Column],
    wide: Sequence[Column] = (),
    name: str | Callable[[Mapping[str, Any]], str],
) -> None:
    """Write `value`. `rows` with their columns are its form as a table; `name` is what `-o name` prints."""
    if output == "json":
        click.echo(json.dumps(value, indent=2, ensure_ascii=False))
    elif output == "yaml":
        click.echo(_yaml(value))
    elif output == "ndjson":
        for row in rows if callable(name) else [value]:
            click.echo(json.dumps(row, ensure_ascii=False, separators=(",", ":")))
    elif output == "name":
        for line in [name(row) for row in rows] if callable(name) else [name]:
            if line:
                click.echo(line)
    elif rows:
        everything = [*columns, *wide] if output == "wide" else columns
        click.echo(table(rows, everything, cut=output == "table"))


def show_list(
    output: str,
    answer: Mapping[str, Any],
    columns: Sequence[Column],
    *,
    wide: Sequence[Column] = (),
    name: str = "id",
    empty: str,
) -> None:
    """Write a list's page; an empty one says on stderr why it is, and what is left out is said there."""
    items = answer["items"]
    show(
        output,
        dict(answer),
        rows=items,
        columns=columns,
        wide=wide,
        name=lambda row: str(value_at(row, name)),
    )
    if not items and output in {"table", "wide", "name"}:
        click.echo(empty, err=True)
    if answer.get("next") and output in {"table", "wide", "name"}:
        click.echo(f"there are more: --cursor {answer['next']}", err=True)

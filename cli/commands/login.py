"""`weir login`, `logout`, `whoami`: a session of one's own in place of a key."""

import platform
import sys
import time
from typing import Any
from urllib.parse import urlsplit

import click

from cli import contexts, sessions
from cli.api import Api
from cli.connection import NoConnectionError, post
from cli.errors import AUTH, NOT_FOUND, USAGE, CommandError
from cli.options import api_options
from cli.output import output_option, show

FIRST_SECONDS = 1.0
"""Before the first question. Between two it is as long as the Weir says."""

LONGEST_SECONDS = 11 * 60
"""A little longer than a code lives: so it is the Weir that says so."""

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@click.command()
@click.argument("url", required=False)
@click.option("--name", help="Name of the context; the host's name without.")
@click.option("--project", help="Project to work in.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.option("--no-keychain", is_flag=True, help="Keep the session in a file, readable by you alone.")
@click.option("--insecure", is_flag=True, help="Send tokens over plain http to another machine.")
def login(
    *,
    url: str | None,
    name: str | None,
    project: str | None,
    no_browser: bool,
    no_keychain: bool,
    insecure: bool,
) -> None:
    """Sign in to the Weir at URL, in the browser, and make it the chosen context.

    Without URL it is the Weir of the chosen context. The session may do what you may, and stands among your
    sessions in the console.

    \b
    Example:
      weir login https://weir.example.com
      weir login
    """  # noqa: D301 \b keeps click from joining the lines
    url = address(url or contexts.find(contexts.current_name()).url, insecure=insecure)
    answer = post(url, "/v1/auth/device", {"name": _machine()})
    _tell(answer, open_browser=not no_browser)
    approved = _wait(url, answer)
    with sessions.locked(url):
        where = sessions.save(url, sessions.Session.of_answer(approved), use_keychain=not no_keychain)
    found = contexts.Context(name or context_name(url), url, project or "", "", session=True)
    me = _me(found)
    if not project:
        found = contexts.Context(found.name, url, _project(found.name, me), "", session=True)
    contexts.save(found)
    contexts.use(found.name)
    click.echo(
        f"signed in to {url} as {me['user']['email']}; "
        f"context {found.name}, project {found.project}; kept in {_place(where)}",
        err=True,
    )
    if not me["projects"]:
        click.echo("you are in no project yet: weir projects create NAME", err=True)
    if contexts.current_name() != found.name:
        click.echo(f"WEIR_HOME is set, so commands need --context {found.name} to use it", err=True)


@click.command()
@click.option("--context", "context_name", help="Context to use instead of the chosen one.")
def logout(context_name: str | None) -> None:
    """End the session here and at the Weir, and remove its contexts.

    \b
    Example:
      weir logout
    """  # noqa: D301
    found = contexts.find(context_name or contexts.current_name())
    if not found.session:
        raise CommandError(
            f"the context {found.name} has a key and no session",
            code=NOT_FOUND,
            hint="`weir keys revoke` ends a key; `weir context ls` lists contexts",
        )
    told = sessions.end(found.url)
    contexts.drop(found.url)
    if told:
        click.echo(f"signed out of {found.url}", err=True)
    else:
        click.echo(
            f"signed out here. {found.url} did not answer: the session ends there by itself within two weeks, "
            "or when you end it in the console",
            err=True,
        )


@click.command()
@output_option
@api_options
def whoami(api: Api, output: str) -> None:
    """Tell who the commands act for, where, and what they may do there.

    \b
    Example:
      weir whoami -o json
    """  # noqa: D301
    found = api.context
    if not found.session:
        answer = api.raw("GET", "/v1/projects?limit=1", {}, None)
        key = "_".join(found.api_key.split("_")[:2])
        row: dict[str, Any] = {
            "context": found.name,
            "url": found.url,
            "project": found.project,
            "key": key,
            "projects": [{"name": project["name"]} for project in answer["items"]],
        }
        columns = [("key", "key"), ("project", "project"), ("url", "url"), ("context", "context")]
        show(output, row, rows=[row], columns=list(columns), name=key)
        return
    me = _me(found)
    mine = next((one for one in me["projects"] if one["name"] == found.project), None)
    row = {
        "email": me["user"]["email"],
        "name": me["user"]["name"],
        "context": found.name,
        "url": found.url,
        "project": found.project,
        "role": None if mine is None else mine["role"],
        "projects": me["projects"],
    }
    show(
        output,
        row,
        rows=[row],
        columns=[
            *(("email", "email"), ("name", "name"), ("project", "project")),
            *(("role", "role"), ("url", "url"), ("context", "context")),
        ],
        name=row["email"],
    )


def address(text: str, *, insecure: bool = False) -> str:
    """The address of a Weir as somebody types it. Raises CommandError for one that tokens must not go to."""
    url = (text if "://" in text else f"https://{text}").rstrip("/")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username is not None or parts.query or parts.fragment:
        raise CommandError(f"{text!r} is no address of a Weir", code=USAGE, hint="https://weir.example.com")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK and not insecure:
        raise CommandError(
            f"{url} is not encrypted: whoever is on the way could take the session",
            code=USAGE,
            hint="use https://, or say --insecure",
        )
    return url


def context_name(url: str) -> str:
    """What a context is called that nobody gave a name."""
    parts = urlsplit(url)
    return f"{parts.hostname}-{parts.port}" if parts.port else str(parts.hostname)


def _machine() -> str:
    """What this machine calls itself: the page shows it, so that one recognises one's own."""
    return "".join(sign for sign in platform.node() if sign.isprintable())[:80]


def _tell(answer: dict[str, Any], *, open_browser: bool) -> None:
    import webbrowser

    whole = answer["verificationUriComplete"]
    opened = False
    if open_browser and urlsplit(whole).scheme in {"http", "https"}:
        opened = webbrowser.open(whole)
    code = click.style(answer["userCode"], bold=True)
    if opened:
        click.echo(f"The browser shows the code {code}: approve it there. If it did not open:", err=True)
    else:
        click.echo(f"Open this address in a browser, and approve the code {code}:", err=True)
    click.echo(f"  {whole}", err=True)


def _wait(url: str, codes: dict[str, Any]) -> dict[str, Any]:
    """Ask until somebody has decided. Raises CommandError when they said no, or nothing in time."""
    interval = FIRST_SECONDS
    deadline = time.monotonic() + LONGEST_SECONDS
    body = {"deviceCode": codes["deviceCode"]}
    while time.monotonic() < deadline:
        time.sleep(interval)
        try:
            answer: dict[str, Any] = post(url, "/v1/auth/device/token", body)
        except NoConnectionError:
            interval = codes["intervalSeconds"]
            continue  # a proxy that restarts, a network that changes: the code goes on
        except CommandError as error:
            if error.retry_after_seconds is not None:
                interval = max(codes["intervalSeconds"], error.retry_after_seconds)
                continue
            error.hint = "" if error.exit_code == AUTH else error.hint
            raise
        if answer["state"] == "approved":
            return answer
        interval = answer["intervalSeconds"]
        if sys.stderr.isatty():
            click.echo(".", err=True, nl=False)
    raise CommandError("nobody approved it in time", code=AUTH, hint="weir login")


def _me(context: contexts.Context) -> dict[str, Any]:
    with Api(context) as api:
        me: dict[str, Any] = api.raw("GET", "/v1/me", {}, None)
        return me


def _project(name: str, me: dict[str, Any]) -> str:
    """The project that the context had, as long as one is in it; else `default`, else the first."""
    mine = [project["name"] for project in me["projects"]]
    before = [context.project for context in contexts.all_contexts() if context.name == name]
    for wanted in (*before, "default"):
        if wanted in mine:
            return str(wanted)
    return str(mine[0]) if mine else "default"


def _place(where: str) -> str:
    return "the system's keychain" if where == "keychain" else where

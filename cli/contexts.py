"""Which Weir a command talks to, as what project, with which key or session.

The environment (`WEIR_URL`, `WEIR_PROJECT`, `WEIR_API_KEY`) wins; then the context that was chosen;
then `local`, which `weir up` writes below WEIR_HOME. A WEIR_HOME in the environment means `local`.
"""

import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cli.errors import AUTH, NOT_FOUND, CommandError
from cli.local.home import Home, private_write

LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Context:
    """An address, a project there, and a key for it; with `session`, that of `weir login` in place of the key."""

    name: str
    url: str
    project: str
    api_key: str = field(repr=False)
    session: bool = False

    def as_json(self) -> dict[str, Any]:
        """As `weir context show -o json` prints it."""
        found = {"url": self.url, "project": self.project}
        return {**found, "session": True} if self.session else {**found, "apiKey": self.api_key}


def config_path() -> Path:
    """The user's own file of contexts."""
    folder = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(folder).expanduser() / "weir" / "contexts.json"


def _config() -> dict[str, Any]:
    try:
        found = json.loads(config_path().read_text())
    except FileNotFoundError:
        return {"current": None, "contexts": {}}
    except (OSError, ValueError) as error:
        raise CommandError(f"{config_path()} cannot be read: {error}", hint="mend it or remove it") from error
    return {"current": found.get("current"), "contexts": found.get("contexts", {})}


def _write(config: dict[str, Any]) -> None:
    path = config_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    private_write(path, json.dumps(config, indent=2) + "\n")


def _local() -> Context | None:
    found = Home(Path(os.environ.get("WEIR_HOME") or ".weir")).context()
    if found is None:
        return None
    return Context(LOCAL, found["url"], found["project"], found["apiKey"])


def all_contexts() -> list[Context]:
    """Every context there is, `local` first."""
    local = _local()
    saved = [
        Context(name, c["url"], c["project"], c.get("apiKey", ""), c.get("session") is True)
        for name, c in sorted(_config()["contexts"].items())
    ]
    return ([local] if local else []) + saved


def find(name: str) -> Context:
    """The context of that name. Raises CommandError."""
    for context in all_contexts():
        if context.name == name:
            return context
    known = ", ".join(c.name for c in all_contexts()) or "none"
    raise CommandError(
        f"there is no context {name!r}; there are: {known}",
        code=NOT_FOUND,
        hint="`weir up` makes one named local" if name == LOCAL else "`weir context ls` lists them",
    )


def current_name() -> str:
    """The name of the chosen context."""
    if os.environ.get("WEIR_HOME"):
        return LOCAL
    return _config()["current"] or LOCAL


def use(name: str) -> Context:
    """Choose a context for the commands to come."""
    chosen = find(name)
    _write({**_config(), "current": None if name == LOCAL else name})
    return chosen


def save(context: Context) -> None:
    """Keep a context in the user's file."""
    if context.name == LOCAL:
        raise CommandError("the context local is written by `weir up`", hint="choose another name")
    config = _config()
    config["contexts"][context.name] = context.as_json()
    _write(config)


def drop(url: str) -> list[str]:
    """Remove the contexts that use the session of that Weir; their names."""
    config = _config()
    dropped = [n for n, c in config["contexts"].items() if c["url"] == url and c.get("session") is True]
    for name in dropped:
        del config["contexts"][name]
    if config["current"] in dropped:
        config["current"] = None
    _write(config)
    return dropped


def current(name: str | None = None, project: str | None = None) -> Context:
    """The context to work with. Raises CommandError when there is none, or its key is missing."""
    url, key = os.environ.get("WEIR_URL"), os.environ.get("WEIR_API_KEY")
    if name is None and url and key:
        base = Context("environment", url.rstrip("/"), os.environ.get("WEIR_PROJECT") or "default", key)
    else:
        base = find(name or current_name())
        if name is None:
            base = replace(
                base,
                url=(url or base.url).rstrip("/"),
                project=os.environ.get("WEIR_PROJECT") or base.project,
                api_key=key or base.api_key,
                session=base.session and not key,
            )
    if not base.api_key and not base.session:
        raise CommandError("there is no API key", code=AUTH, hint="set WEIR_API_KEY, or sign in: weir login")
    return replace(base, project=project) if project else base

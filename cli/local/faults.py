"""What can keep a local Weir from starting, each in one line that says what to do."""

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.local.child import ServerError
from cli.local.home import HomeBusyError
from cli.local.ports import PortTakenError


class StartError(Exception):
    """Weir cannot start; the text is for the person who asked for it."""


def is_disk_full(error: BaseException) -> bool:
    """Whether the system, or Postgres, says that there is no space left."""
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return True
    return getattr(error, "sqlstate", None) == "53100"


def _raised(error: BaseException, module: str, name: str) -> bool:
    """Whether `error` is of a class of a module that is perhaps not loaded."""
    found = sys.modules.get(module)
    return found is not None and isinstance(error, getattr(found, name))


def explain(error: Exception, home: Path) -> str | None:
    """The line for `error`; None when it is a mistake of our own."""
    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None and cause not in causes:
        causes.append(cause)
    if any(is_disk_full(e) for e in causes):
        return (
            f"the disk that holds {home} is full."
            " Free some space, or set WEIR_HOME to a folder on another disk."
        )
    if isinstance(error, HomeBusyError):
        return f"{error}. Use it (`weir status`), end it (`weir down`), or set WEIR_HOME to another folder."
    if isinstance(error, PortTakenError | ServerError):
        return str(error)
    if any(
        _raised(e, "shared.db.migrate", "NewerDatabaseError")
        or _raised(e, "shared.db.security", "MissingRoleError")
        for e in causes
    ):
        return f"{error}."
    if isinstance(error, PermissionError):
        return f"{error.filename}: {error.strerror}. Set WEIR_HOME to a folder of your own."
    if _raised(error, "asyncpg", "PostgresError") or isinstance(error, OSError | TimeoutError | LookupError):
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        return f"{text}. If WEIR_DATABASE_URL is set, see that its server runs and lets Weir in."
    return None


@contextmanager
def explained(home: Path) -> Iterator[None]:
    """Raise StartError in place of what is not a mistake of our own."""
    try:
        yield
    except Exception as error:
        text = explain(error, home)
        if text is None:
            raise
        raise StartError(text) from error

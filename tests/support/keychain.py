"""A keychain as a desktop has one, by keyring's own interface: for `PYTHON_KEYRING_BACKEND`."""

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError, PasswordSetError

BACKEND = f"{__name__}.Keychain"
VARIABLE = "KEYCHAIN_OF_THE_TEST"


class Keychain(KeyringBackend):
    """Keeps its secrets in the file that `KEYCHAIN_OF_THE_TEST` names; without one it is locked."""

    priority = 5  # type: ignore[assignment]

    def set_password(self, service: str, username: str, password: str) -> None:
        if VARIABLE not in os.environ:
            raise PasswordSetError("locked")
        write({**read(), f"{service} {username}": password})

    def get_password(self, service: str, username: str) -> str | None:
        return read().get(f"{service} {username}")

    def delete_password(self, service: str, username: str) -> None:
        kept = read()
        if kept.pop(f"{service} {username}", None) is None:
            raise PasswordDeleteError("not there")
        write(kept)


def read() -> dict[str, str]:
    path = Path(os.environ.get(VARIABLE, "/nowhere"))
    return json.loads(path.read_text()) if path.exists() else {}


def write(kept: dict[str, str]) -> None:
    Path(os.environ[VARIABLE]).write_text(json.dumps(kept))

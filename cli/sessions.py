"""Sessions of people, in place of API keys: one for each Weir that `weir login` has signed in to.

The tokens are in the system's keychain, where there is one that can be asked, and otherwise in a file of mode 0600. Beside
them a file says where. A refresh token works once, and a second use of it ends the session: so only one
command at a time refreshes, under a lock, and the others find the new tokens when they get it.
"""

import fcntl
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cli.connection import NoConnectionError, post
from cli.contexts import config_path
from cli.errors import AUTH, CommandError
from cli.local.home import private_write

SERVICE = "weir"
"""Under which the keychain lists the tokens, with the address as the account."""

EARLY_SECONDS = 30
"""For so long a token has to be good yet to be used."""


@dataclass(frozen=True, slots=True)
class Session:
    """The tokens of a session. `expires_at` is the access token's end, in seconds since 1970."""

    access_token: str = field(repr=False)
    expires_at: float
    refresh_token: str = field(repr=False)
    email: str = ""

    @classmethod
    def of_answer(cls, answer: dict[str, Any]) -> "Session":
        """The session in an answer of `/v1/auth/device/…`."""
        ends = datetime.fromisoformat(answer["expiresAt"]).timestamp()
        return cls(answer["accessToken"], ends, answer["refreshToken"], answer["user"]["email"])


def save(url: str, session: Session, *, use_keychain: bool = True) -> str:
    """Keep the session of that Weir. Returns where: `keychain` or the file's path."""
    path = _path(url)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = asdict(session)
    if use_keychain and _to_keychain(url, json.dumps(kept)):
        private_write(path, json.dumps({"url": url, "email": session.email, "keptIn": "keychain"}) + "\n")
        return "keychain"
    private_write(path, json.dumps({"url": url, **kept}) + "\n")
    return str(path)


def load(url: str) -> Session | None:
    """The session of that Weir, if one is kept that can be read."""
    kept, _ = _load(url)
    return kept


def forget(url: str) -> None:
    """Keep it no longer."""
    path = _path(url)
    if _marked(url).get("keptIn") == "keychain":
        _from_keychain(url, delete=True)
    path.unlink(missing_ok=True)


def exists(url: str) -> bool:
    """Whether a session of that Weir is kept here."""
    return _path(url).exists()


def access_token(url: str, *, refused: str | None = None) -> str:
    """A token that is good now, another than `refused`. Raises CommandError when nobody is signed in there."""
    kept, _ = _load(url)
    if kept is not None and _is_good(kept, refused):
        return kept.access_token
    with locked(url):
        kept, in_keychain = _load(url)
        if kept is None:
            raise CommandError(f"you are not signed in to {url}", code=AUTH, hint=f"weir login {url}")
        if _is_good(kept, refused):  # another command was faster
            return kept.access_token
        renewed = _refresh(url, kept)
        save(url, renewed, use_keychain=in_keychain)
        return renewed.access_token


def end(url: str) -> bool:
    """End the session there and forget it here. False when the server could not be told."""
    with locked(url):
        kept, _ = _load(url)
        told = True
        if kept is not None:
            try:
                post(url, "/v1/auth/device/sign-out", {"refreshToken": kept.refresh_token})
            except CommandError:
                told = False
        forget(url)
    return told


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Have the session of that Weir for oneself."""
    path = _path(url).with_suffix(".lock")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _refresh(url: str, kept: Session) -> Session:
    body = {"refreshToken": kept.refresh_token}
    try:
        try:
            answer = post(url, "/v1/auth/device/refresh", body)
        except NoConnectionError:
            # The answer may have been lost on its way: for some seconds the same question gets it again.
            answer = post(url, "/v1/auth/device/refresh", body)
    except CommandError as error:
        if error.exit_code != AUTH:
            raise
        forget(url)
        raise CommandError(error.message, code=AUTH, hint=f"weir login {url}") from error
    return Session.of_answer(answer)


def _is_good(session: Session, refused: str | None) -> bool:
    return session.access_token != refused and session.expires_at - time.time() > EARLY_SECONDS


def _path(url: str) -> Path:
    host = re.sub(r"[^a-z0-9.-]", "-", urlsplit(url).netloc.lower())
    return config_path().parent / "sessions" / f"{host}-{sha256(url.encode()).hexdigest()[:8]}.json"


def _marked(url: str) -> dict[str, Any]:
    try:
        found = json.loads(_path(url).read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _load(url: str) -> tuple[Session | None, bool]:
    """The session, and whether the keychain has it."""
    kept = _marked(url)
    in_keychain = kept.get("keptIn") == "keychain"
    if in_keychain:
        text = _from_keychain(url)
        kept = json.loads(text) if text else {}
    try:
        session = Session(kept["access_token"], kept["expires_at"], kept["refresh_token"], kept["email"])
    except (KeyError, TypeError):
        return None, in_keychain
    return session, in_keychain


def _keychain() -> Any:
    """The system's keychain, if there is one; what keeps its secrets in a plain file is none."""
    try:
        import keyring
    except ImportError:
        return None
    try:
        backend = keyring.get_keyring()
        is_one = backend.priority >= 1
    except Exception:  # a backend that cannot be used says so in ways of its own
        return None
    return backend if is_one else None


def _to_keychain(url: str, text: str) -> bool:
    backend = _keychain()
    if backend is None:
        return False
    try:
        backend.set_password(SERVICE, url, text)
        return bool(backend.get_password(SERVICE, url) == text)
    except Exception:  # locked, or nobody there to unlock it
        return False


def _from_keychain(url: str, *, delete: bool = False) -> str | None:
    backend = _keychain()
    if backend is None:
        return None
    try:
        if delete:
            backend.delete_password(SERVICE, url)
            return None
        text = backend.get_password(SERVICE, url)
        return None if text is None else str(text)
    except Exception:  # locked, or gone
        return None

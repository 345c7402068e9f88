"""The keys that what is secret at rest is sealed with, out of the environment or a file."""

import base64
import binascii
import os
import re
import secrets
from pathlib import Path

from pydantic import SecretStr

FROM_SECRET = "secret"  # noqa: S105 the name of a key, not one
"""The id of the key that is derived from `WEIR_SECRET`. It is always there, and the only one where none is named."""

KEY_BYTES = 32

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_FORM = "write ID:KEY, the key being 32 bytes in base64; `weir secrets key` makes one"

_Stamp = tuple[int, int, int]


class SealingKeys:
    """Keys with their ids, in the order in which they were named: the first seals, all of them open.

    `listed` is the value of `WEIR_SEALING_KEYS`: `ID:BASE64` with commas or line ends between them; `secret` alone
    stands for the key derived from `secret`. `file` is one that holds the same (`WEIR_SEALING_KEYS_FILE`); it is read
    again when it has changed. Raises ValueError that shows no key.
    """

    __slots__ = ("_file", "_keys", "_stamp", "secret")

    def __init__(
        self, secret: SecretStr | str, listed: SecretStr | str | None = None, *, file: str | None = None
    ) -> None:
        if listed is not None and file is not None:
            raise ValueError(
                "the sealing keys are in WEIR_SEALING_KEYS or in WEIR_SEALING_KEYS_FILE, not both"
            )
        self.secret = SecretStr(secret) if isinstance(secret, str) else secret
        self._file = None if file is None else Path(file)
        self._stamp: _Stamp | None = None
        self._keys: dict[str, bytes | None] = {FROM_SECRET: None}
        if self._file is not None:
            try:
                self._stamp, self._keys = _read(self._file)
            except (OSError, UnicodeDecodeError) as error:
                raise ValueError(f"the file of WEIR_SEALING_KEYS_FILE cannot be read: {error}") from None
        elif listed is not None:
            self._keys = parsed(listed.get_secret_value() if isinstance(listed, SecretStr) else listed)

    def __repr__(self) -> str:
        """The ids alone."""
        return f"SealingKeys({', '.join(self._keys)})"

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids in their order; that of the derived key is among them."""
        return tuple(self._keys)

    def first(self) -> tuple[str, bytes | None]:
        """The id and the key that seals; no key for the derived one."""
        self._look_again()
        return next(iter(self._keys.items()))

    def find(self, key_id: str) -> bytes | None:
        """The key of that id, None for one that is not there."""
        if key_id not in self._keys:
            self._look_again()
        return self._keys.get(key_id)

    def _look_again(self) -> None:
        """Take in what was put into the file since. While it cannot be used, what is known stays."""
        if self._file is None:
            return
        try:
            if _stamp(self._file) != self._stamp:
                self._stamp, self._keys = _read(self._file)
        except (OSError, ValueError):
            return


def parsed(text: str) -> dict[str, bytes | None]:
    """The keys in `text` by their ids; the derived one comes last unless it is named. Raises ValueError."""
    keys: dict[str, bytes | None] = {}
    lines = (line.partition("#")[0] for line in text.splitlines())
    for number, entry in enumerate((e.strip() for line in lines for e in line.split(",") if e.strip()), 1):
        key_id, colon, encoded = entry.partition(":")
        key_id = key_id.strip()
        if key_id in keys:
            raise ValueError(f"two sealing keys have the id {key_id!r}")
        if key_id == FROM_SECRET and not colon:
            keys[key_id] = None
            continue
        if not colon or not _ID.fullmatch(key_id):
            raise ValueError(f"sealing key {number} has no id that can be used: {_FORM}")
        if key_id == FROM_SECRET:
            raise ValueError(
                f"the id {FROM_SECRET!r} is that of the key derived from WEIR_SECRET: name it alone"
            )
        key = _decoded(encoded.strip())
        if key is None:
            raise ValueError(f"the sealing key {key_id!r} cannot be read: {_FORM}")
        keys[key_id] = key
    if not keys:
        raise ValueError(f"no sealing key is named: {_FORM}")
    keys.setdefault(FROM_SECRET, None)
    return keys


def make_sealing_key(key_id: str) -> str:
    """A new key as it is named in the settings."""
    return f"{key_id}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"


def _decoded(text: str) -> bytes | None:
    """32 bytes out of base64, in either alphabet, with or without its end."""
    usual = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        key = base64.b64decode(usual + "=" * (-len(usual) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None


def _read(file: Path) -> tuple[_Stamp, dict[str, bytes | None]]:
    stamp = _stamp(file)
    return stamp, parsed(file.read_text())


def _stamp(file: Path) -> _Stamp:
    """Changes with the file, also where a mounted secret is exchanged by its folder's link."""
    found = os.stat(file)  # noqa: PTH116 a third of the cost, at every seal
    return found.st_mtime_ns, found.st_size, found.st_ino

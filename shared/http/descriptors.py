"""How many files and connections this process may have open."""

from contextlib import suppress

LEAST = 64


def connections(wanted: int) -> int:
    """How many of `wanted` connections may be open: half of what the system allows is left to everything else.

    What it allows is raised as far as needed and permitted: shells often begin with 1,024, some with 256.
    """
    try:
        import resource
    except ImportError:  # not every system has such a limit
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    if soft < 2 * wanted:
        most = 2 * wanted if hard == resource.RLIM_INFINITY else min(2 * wanted, hard)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
            soft = max(soft, most)
    return max(LEAST, min(wanted, soft // 2))

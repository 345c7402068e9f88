"""How many files and connections this process may have open."""

from contextlib import suppress

LEAST = 64


def connections(wanted: int, part: float = 1 / 2) -> int:
    """How many of `wanted` connections may be open: a part of what the system allows, the rest is for everything else.

    Half is for deliveries to sinks, an eighth for those to the operators' sink, a sixteenth for test events.

    What it allows is raised as far as needed and permitted: shells often begin with 1,024, some with 256.
    """
    try:
        import resource
    except ImportError:  # not every system has such a limit
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    needed = int(wanted / part)
    if soft < needed:
        most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
            soft = max(soft, most)
    return max(LEAST, min(wanted, int(soft * part)))

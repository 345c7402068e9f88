"""The validation hand-shake of CloudEvents webhooks (http-webhook.md, section 4): OPTIONS, without credentials.

The answer itself grants or withholds the permission. `WebHook-Request-Callback` is never called: whoever asks
could make Weir send requests to where they cannot reach themselves.
"""

import re
from collections.abc import Iterable

from functions.ingest.answers import Headers
from functions.ingest.projects import Project, Projects
from shared.core.problems import NOT_FOUND, Problem

ALLOW = (b"allow", b"POST, OPTIONS")

_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\.?")
_MAX_HOST = 253
_RATE = re.compile(rb"0{0,15}[1-9][0-9]{0,14}")


async def shake(projects: Projects, name: str, headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The answer's headers. Raises Problem 404 for a project that is not there."""
    project = await projects.get(name)
    if project is None:
        raise Problem(NOT_FOUND, "There is no such project.")
    return [ALLOW, *granted(project, headers)]


def granted(project: Project, headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Origin and rate (requests a minute) that are allowed; nothing when the sender is not, or did not ask."""
    asked = dict(headers)
    origin = asked.get(b"webhook-request-origin")
    if origin is None:
        return []
    allowed = b"*"
    if project.allowed_origins:
        allowed = origin.strip()
        if not is_among(allowed.decode("latin-1").lower(), project.allowed_origins):
            return []
    return [
        (b"webhook-allowed-origin", allowed),
        (b"webhook-allowed-rate", _rate(project, asked.get(b"webhook-request-rate"))),
    ]


def is_among(host: str, origins: Iterable[str]) -> bool:
    """Whether a host name is one of `origins` (lower case), or below one that begins with `*.`."""
    if len(host) > _MAX_HOST or _HOST.fullmatch(host) is None:
        return False
    host = host.removesuffix(".")
    return any(host.endswith(origin[1:]) if origin.startswith("*.") else host == origin for origin in origins)


def _rate(project: Project, asked: bytes | None) -> bytes:
    """The project's limit, or what was asked for where that is less: nobody gets more than they want."""
    if project.limit is None:
        return b"*"
    rate = project.limit.rate_per_second * 60
    if asked is not None and _RATE.fullmatch(asked.strip()):
        rate = min(rate, int(asked))
    return b"%d" % rate

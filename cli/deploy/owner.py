"""Letting an owner in, by a Job where the database is: `weir deploy owner`."""

from collections.abc import Iterable, Sequence
from typing import Any

from cli.deploy import programs
from cli.deploy.kubernetes import Kubernetes
from cli.deploy.rendered import Manifest

MODULE = "shared.auth.owner"


async def let_in(
    kubernetes: Kubernetes,
    documents: Iterable[Manifest | None],
    arguments: Sequence[str],
    *,
    seconds: float,
) -> dict[str, Any]:
    """What the Job said, the `link` among it. CommandError when nothing serves, the Job fails or its log cannot be read."""
    said = await programs.run(kubernetes, documents, "owner", MODULE, arguments, says="link", seconds=seconds)
    if not said:
        raise programs.unread(kubernetes, "link", "run it again: it makes another link")
    return said

"""A span of time that somebody names."""

from datetime import datetime

from shared.core.problems import INVALID, Fault, Problem


def check_span(since: datetime | None, until: datetime | None) -> None:
    """Raise Problem 422 for a span that ends before it begins."""
    if since is not None and until is not None and until <= since:
        raise Problem(
            INVALID,
            "The request has values that cannot be used.",
            errors=[Fault("/until", "must be after since")],
        )

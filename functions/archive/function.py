"""The declaration of `archive`."""

from shared.runtime.function import Function

FUNCTION = Function(
    name="archive",
    summary="Says how long events are kept, shows those of the archive and brings them back, holds and erases",
    entry="functions.archive.app:create",
    routes=(
        "/v1/projects/{project}/archive",
        "/v1/projects/{project}/retention",
        "/v1/projects/{project}/holds",
        "/v1/projects/{project}/erasures",
    ),
    archives=True,
)

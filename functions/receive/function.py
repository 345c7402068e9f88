"""The declaration of `receive`."""

from shared.runtime.function import Function

FUNCTION = Function(
    name="receive",
    summary="A sink to try things with: it shows what arrives and answers as it is told",
    entry="functions.receive.app:create",
    routes=("/sink", "/v1/projects/{project}/sink"),
    # Without Redis it answers all the same and remembers nothing.
    needs=frozenset({"postgres"}),
)

"""What a command ends with when it did not do what was asked."""

from typing import IO, Any

import click

FAILED, USAGE, NOT_FOUND, AUTH, INVALID, UNDELIVERED = 1, 2, 3, 4, 5, 6


class CommandError(click.ClickException):
    """Says what is wrong in one line, details below it, and what to do next."""

    def __init__(
        self, message: str, *, code: int = FAILED, details: tuple[str, ...] = (), hint: str = ""
    ) -> None:
        super().__init__(message)
        self.exit_code = code  # type: ignore[misc]  # click gives the class a default and reads the instance
        self.details = details
        self.hint = hint
        self.retry_after_seconds: int | None = None

    def show(self, file: IO[Any] | None = None) -> None:
        """Write it to stderr."""
        click.echo(f"{click.style('error:', fg='red', bold=True)} {self.message}", err=True, file=file)
        for line in self.details:
            click.echo(f"  {line}", err=True, file=file)
        if self.hint:
            click.echo(f"  → {self.hint}", err=True, file=file)

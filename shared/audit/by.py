"""Who makes a change, and from where."""

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

ActorKind = Literal["user", "key", "operator", "weir", "nobody"]
"""A person, an API key, who runs a command beside the database, Weir by itself, or who did not prove to be anybody."""

Via = Literal["console", "key", "command", "api", "operator", "weir"]
"""The console, an API key, the `weir` command, a person's token elsewhere, a command beside the database, Weir."""


@dataclass(slots=True)
class By:
    """Who, and from where. What is not known of them is looked up when it is recorded: as it is then.

    `agent` is the program and its version as it says itself, `request_id` the trace of the request. `is_settled`
    says that what had to be said of the change was said: it was recorded, or there was none.
    """

    kind: ActorKind
    id: str | None
    via: Via
    name: str = ""
    role: str | None = None
    agent: str | None = None
    address: str | None = None
    request_id: str | None = None
    is_settled: bool = field(default=False, compare=False)

    @property
    def user_id(self) -> UUID | None:
        """The person, if it is one."""
        return UUID(self.id) if self.kind == "user" and self.id is not None else None

    def turned_out_as(self, user_id: UUID, name: str = "") -> None:
        """It is that person: they have just proved it, as at a sign-in."""
        self.kind, self.id, self.name = "user", str(user_id), name

    def changed_nothing(self) -> None:
        """The request was right and there was nothing to change, so that there is nothing to record."""
        self.is_settled = True


def by_weir(part: str = "Weir") -> By:
    """Weir by itself; `part` names what of it, for a reader."""
    return By("weir", None, "weir", name=part)


def by_operator(command: str) -> By:
    """Whoever runs `command` where the database is at hand, by their name on that machine."""
    import getpass

    try:
        name = getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user need not have one
        name = "operator"
    return By("operator", None, "operator", name=name, agent=command)

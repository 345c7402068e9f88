"""What a scenario came to, what is wrong with that, and the table."""

from collections.abc import Sequence
from dataclasses import dataclass, field

MEMORY_MIB = 400
"""More than this in a dispatching process means that something is kept without a bound."""

REFUSALS = {0, 202, 429, 503, 507}
"""What ingest may answer to a producer while something is broken; 0 is a connection that broke off."""


@dataclass
class Row:
    """One scenario. Seconds are counted from the moment the fault was taken back.

    `bound` is the most that was delivered and not on record at one moment of the fault; None where nothing may be repeated. `late` repeats came after the next of their order.
    """

    name: str
    says: str
    rate: float = 0.0
    acknowledged: int = 0
    stored: int = 0
    delivered: int = 0
    waiting: int = 0
    lost: list[str] = field(default_factory=list)
    duplicates: int = 0
    bound: int | None = None
    late: int = 0
    violations: int = 0
    acknowledged_after_seconds: float | None = None
    drained_after_seconds: float | None = None
    slowest_seconds: float = 0.0
    usual_seconds: float = 0.0
    memory_mib: float = 0.0
    answers: dict[int, int] = field(default_factory=dict)
    fallen: list[str] = field(default_factory=list)
    seconds: float = 0.0
    skipped: str | None = None
    broke: str | None = None

    def problems(self) -> list[str]:
        """Why the scenario has failed; nothing when it has not."""
        if self.skipped is not None:
            return []
        if self.broke is not None:
            return [f"it could not be played: {self.broke}"]
        found = []
        if self.lost:
            found.append(f"{len(self.lost)} events are lost, such as {', '.join(self.lost[:5])}")
        if self.waiting:
            found.append(f"{self.waiting} deliveries still wait")
        if self.stored != self.acknowledged:
            found.append(f"{self.acknowledged - self.stored} acknowledged events are not stored")
        if self.violations:
            found.append(f"{self.violations} deliveries started before their turn")
        if self.duplicates > (self.bound or 0):
            found.append(f"{self.duplicates} repeats, where {self.bound or 0} are explained")
        if self.memory_mib > MEMORY_MIB:
            found.append(f"a dispatching process took {self.memory_mib:.0f} MiB")
        if strange := {code: count for code, count in self.answers.items() if code not in REFUSALS}:
            found.append(f"ingest answered {strange}")
        if self.fallen:
            found.append(f"ended by itself: {', '.join(self.fallen)}")
        if self.acknowledged_after_seconds is None or self.drained_after_seconds is None:
            found.append("it did not recover in time")
        if not self.acknowledged:
            found.append("nothing was acknowledged")
        return found


HEAD = (
    "scenario",
    "acknowledged",
    "stored",
    "delivered",
    "waiting",
    "lost",
    "duplicates (bound)",
    "order violations",
    "taken again after",
    "backlog gone after",
    "slowest delivery",
    "memory",
)


def table(rows: Sequence[Row]) -> str:
    """Markdown, a line for each scenario."""
    lines = [HEAD, ("---",) + ("---:",) * (len(HEAD) - 1)]
    for row in rows:
        if row.skipped is not None or row.broke is not None:
            what = "broke off" if row.skipped is None else f"skipped: {row.skipped}"
            lines.append((row.name, what, *[""] * (len(HEAD) - 2)))
            continue
        lines.append(
            (
                row.name,
                str(row.acknowledged),
                str(row.stored),
                str(row.delivered),
                str(row.waiting),
                str(len(row.lost)),
                f"{row.duplicates} ({0 if row.bound is None else f'≤ {row.bound}'})",
                str(row.violations),
                _seconds(row.acknowledged_after_seconds),
                _seconds(row.drained_after_seconds),
                _seconds(row.slowest_seconds),
                f"{row.memory_mib:.0f} MiB",
            )
        )
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.1f} s"

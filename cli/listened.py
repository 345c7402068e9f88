"""Where `weir listen` stopped, kept so that it can go on there."""

import json
import time
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from cli.contexts import Context, config_path
from cli.local.home import private_write

DAY_SECONDS = 86_400
EVERY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Stopped:
    """After which place, and when, in seconds since 1970."""

    after: str
    at: float

    @property
    def ago(self) -> str:
        """`12 min`."""
        seconds = max(0, time.time() - self.at)
        if seconds < 60:
            return f"{seconds:.0f} s"
        return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


class Record:
    """The place of one project, selection and target."""

    def __init__(self, context: Context, query: dict[str, object], target: str) -> None:
        what = json.dumps([context.url, context.project, sorted(query.items()), target], default=str)
        name = f"{sha256(what.encode()).hexdigest()[:16]}.json"
        self._path = config_path().parent / "listen" / name
        self._written_at = 0.0
        self._place: str | None = None

    def stopped(self) -> Stopped | None:
        """Where it stopped, if that was within the last day: further back a stream does not go."""
        try:
            found = Stopped(**json.loads(self._path.read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return found if time.time() - found.at < DAY_SECONDS else None

    def reached(self, place: str | None) -> None:
        """It is done up to there. Written once a second, and at the end by `save`."""
        if place is not None and place != self._place:
            self._place = place
            if time.monotonic() - self._written_at > EVERY_SECONDS:
                self.save()

    def save(self) -> None:
        """Write it down."""
        if self._place is None:
            return
        self._written_at = time.monotonic()
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        private_write(Path(self._path), json.dumps(asdict(Stopped(self._place, time.time()))) + "\n")

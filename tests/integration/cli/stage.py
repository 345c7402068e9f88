"""Where the examples of the help are run: a project of its own, and a folder."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from cli.local.home import Home
from cli.main import weir as command
from shared.db.pool import open_pool
from tests.support.receiver import Receiver
from tests.support.weir import LocalWeir


@dataclass
class Stage:
    """A project with nothing in it. `stands_for` says what is put in place of which words of an example."""

    weir: LocalWeir
    sink: Receiver
    project: str
    folder: Path
    stands_for: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    def call(self, *arguments: str) -> str:
        """What the command writes; it must succeed."""
        done = CliRunner().invoke(command, arguments)
        assert done.exit_code == 0, (arguments, done.output, done.exception)
        return done.stdout

    def answer(self, *arguments: str) -> Any:
        return json.loads(self.call(*arguments, "-o", "json"))

    def write(self, name: str, content: str) -> None:
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_text(content)

    async def in_database(self, work: Callable[[Any, Any], Any]) -> Any:
        told = Home(self.weir.home).running()
        assert told is not None
        pool = await open_pool(told.database_url, size=2)
        try:
            project_id = await pool.fetchval("SELECT id FROM projects WHERE name = $1", self.project)
            return await work(pool, project_id)
        finally:
            await pool.close()

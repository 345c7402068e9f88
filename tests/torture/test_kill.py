"""One scenario of `make torture` in the suite: every process of a `weir up` is killed at once."""

from pathlib import Path

from tests.torture.run import torture
from tests.torture.scenarios import SCENARIOS


async def test_killing_everything_at_once_loses_nothing(tmp_path: Path) -> None:
    played = [scenario for scenario in SCENARIOS if scenario.name == "weir up: everything killed"]
    (row,), _ = await torture(tmp_path, played, rate=60, patience=120)
    assert row.acknowledged > 20
    assert not row.problems(), row

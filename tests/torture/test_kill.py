"""Two scenarios of `make torture` in the suite."""

from pathlib import Path

import pytest

from tests.torture.run import torture
from tests.torture.scenarios import SCENARIOS


@pytest.mark.parametrize("name", ["both killed", "weir up: everything killed"])
async def test_what_is_killed_loses_nothing(tmp_path: Path, name: str) -> None:
    played = [scenario for scenario in SCENARIOS if scenario.name == name]
    (row,), _ = await torture(tmp_path, played, rate=60, patience=120)
    assert row.acknowledged > 20
    assert not row.problems(), row

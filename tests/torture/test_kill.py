"""One round of `make torture`: every process dies at once, and nothing that was promised is lost."""

from pathlib import Path

from tests.torture.faults import FAULTS
from tests.torture.run import torture


async def test_nothing_acknowledged_is_lost_when_every_process_is_killed(tmp_path: Path) -> None:
    everything = next(fault for fault in FAULTS if fault.name == "kill -9 of every process")
    report = await torture(everything, tmp_path / "home", rate=100, seconds=2)
    assert report.acknowledged > 100
    assert report.stored == report.acknowledged
    assert report.lost == 0
    assert report.waiting == 0

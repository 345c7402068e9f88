"""One round of `make torture` in the suite."""

from pathlib import Path

from tests.torture.kill import torture


async def test_killing_everything_at_once_loses_nothing(tmp_path: Path) -> None:
    report = await torture(tmp_path, ["everything"], rate=100, seed=7)
    assert report.acknowledged > 20
    assert report.lost == 0, report.lost_ids
    assert report.stored == report.acknowledged
    assert report.delivered + report.waiting == report.acknowledged

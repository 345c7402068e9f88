"""Objects of the archive: others can read them, and one event is found by a frame alone."""

from hashlib import sha256

import pytest

from shared.archive import parts as parts_module
from shared.archive.lines import write_line
from shared.archive.marks import marks_of, may_have
from shared.archive.parts import Part, PartWriter, lines_of, may_be_in, read_index
from shared.archive.zstd import decompress
from shared.core.ids import uuid7
from tests.unit.archive.test_lines import a_row


def a_part(count: int) -> tuple[Part, bytes, list[bytes]]:
    writer, texts = PartWriter(), []
    for number in range(count):
        row = a_row(uid=uuid7(), id=f"e-{number}", type=f"t.{number // 50}", subject=f"s-{number}")
        text = write_line(row, "2026-11-01T10:00:00.000Z", [])
        writer.add(row["uid"], text, event_type=row["type"], event_id=row["id"], subject=row["subject"])
        texts.append(text)
    part, content = writer.end(1, "key")
    return part, content, texts


@pytest.fixture
def small_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts_module, "FRAME_BYTES", 4_000)


@pytest.mark.usefixtures("small_frames")
def test_whoever_decompresses_all_of_it_has_the_lines() -> None:
    part, content, texts = a_part(100)
    assert decompress(content) == b"".join(texts)
    assert (part.events, part.packed_bytes, part.raw_bytes) == (100, len(content), sum(map(len, texts)))
    assert part.sha256 == sha256(content).digest()


@pytest.mark.usefixtures("small_frames")
def test_the_index_leads_to_the_frame_of_an_event() -> None:
    part, content, _ = a_part(200)
    frames = read_index(content[part.index_at :])
    assert len(frames) > 5
    assert sum(frame.events for frame in frames) == 200
    seen = 0
    for frame in frames:
        lines = list(lines_of(content[frame.at : frame.at + frame.length]))
        assert (lines[0].uid, lines[-1].uid) == (frame.first, frame.last)
        for number in range(seen, seen + len(lines)):
            assert may_be_in(frame, type=f"t.{number // 50}", id=f"e-{number}", subject=f"s-{number}")
        seen += len(lines)
    # Most frames are known not to have it.
    assert sum(may_be_in(frame, type=None, id="e-7", subject=None) for frame in frames) < 4
    assert not any(may_be_in(frame, type="t.99", id=None, subject=None) for frame in frames)


def test_marks_have_what_was_put_in_and_little_else() -> None:
    marks = marks_of(f"a{number}" for number in range(1_000))
    assert all(may_have(marks, f"a{number}") for number in range(1_000))
    assert sum(may_have(marks, f"b{number}") for number in range(10_000)) < 300
    assert not may_have(marks_of([]), "anything")

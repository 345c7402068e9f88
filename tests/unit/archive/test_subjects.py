"""A subject is taken out of what names it, and of nothing else."""

from typing import Any
from uuid import UUID

import pytest

from shared.archive.subjects import digest_of, forgotten, mark_of

PROJECT = UUID(int=7)


@pytest.mark.parametrize(
    ("document", "left"),
    [
        ({"subject": ["mara", "jon"], "type": ["mara"]}, {"subject": ["*", "jon"], "type": ["mara"]}),
        ([{"any": [{"exact": {"subject": "mara"}}]}], [{"any": [{"exact": {"subject": "*"}}]}]),
        ([{"exact": {"subject": "mara-2"}}], [{"exact": {"subject": "mara-2"}}]),
        ([{"sql": "subject = 'mara' AND type = 'maraca'"}], [{"sql": "subject = '*' AND type = 'maraca'"}]),
        ({"q": "of Mara, again", "since": "2026"}, {"q": "of *, again", "since": "2026"}),
        ({"since": "mara", "rate": 4, "filters": None}, {"since": "mara", "rate": 4, "filters": None}),
    ],
)
def test_it_is_taken_out(document: Any, left: Any) -> None:
    assert forgotten(document, "mara", "*") == left


def test_a_short_one_is_no_word_of_a_text() -> None:
    assert forgotten({"q": "7", "reason": "7 days"}, "7", "*") == {"q": "*", "reason": "7 days"}


def test_a_pattern_in_a_subject_is_none() -> None:
    assert forgotten("as a.b+c@x said", "a.b+c@x", r"\1", "reason") == r"as \1 said"
    assert forgotten("as aXb+c@x said", "a.b+c@x", "*", "reason") == "as aXb+c@x said"


def test_what_is_kept_cannot_be_tried_out_without_the_key() -> None:
    one, other = digest_of("key", PROJECT, "mara"), digest_of("another", PROJECT, "mara")
    assert one != other
    assert one != digest_of("key", UUID(int=8), "mara")
    assert mark_of(one) == f"erased:{one.hex()[:12]}"

import pytest

from cli.commands.again import summary, whole_seconds


@pytest.mark.parametrize(
    ("seconds", "said"), [(None, None), (0, "0"), (0.010760945, "<1"), (1.424396223125, "1"), (86.6, "87")]
)
def test_an_estimate_has_no_decimals(seconds: float | None, said: str | None) -> None:
    assert whole_seconds("seconds")({"seconds": seconds}) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "47 would be attempted again."),
        (0.05, "47 would be attempted again, in less than a second."),
        (86.6, "47 would be attempted again, in about 87 s."),
    ],
)
def test_what_is_asked_before_it_starts(seconds: float | None, said: str) -> None:
    assert (
        summary({"kind": "retry", "count": 47, "isExact": True, "duplicates": 0, "seconds": seconds}) == said
    )

import pytest

from cli.commands.again import whole_seconds


@pytest.mark.parametrize(
    ("seconds", "said"), [(None, None), (0, "0"), (0.010760945, "<1"), (1.424396223125, "1"), (86.6, "87")]
)
def test_an_estimate_has_no_decimals(seconds: float | None, said: str | None) -> None:
    assert whole_seconds("seconds")({"seconds": seconds}) == said

import pytest

from cli.commands.overview import delivered


@pytest.mark.parametrize(
    ("delivered_count", "dead", "said"),
    [(0, 0, "-"), (5, 0, "100.00 %"), (999_999, 1, "99.99 %"), (1, 2, "33.33 %"), (0, 3, "0.00 %")],
)
def test_only_all_is_a_hundred_percent(delivered_count: int, dead: int, said: str) -> None:
    assert delivered({"delivered": delivered_count, "dead": dead}) == said

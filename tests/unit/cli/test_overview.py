import pytest

from cli.commands.overview import delivered, recounted


@pytest.mark.parametrize(
    ("delivered_count", "dead", "said"),
    [(0, 0, "-"), (5, 0, "100.00 %"), (999_999, 1, "99.99 %"), (1, 2, "33.33 %"), (0, 3, "0.00 %")],
)
def test_only_all_is_a_hundred_percent(delivered_count: int, dead: int, said: str) -> None:
    assert delivered({"delivered": delivered_count, "dead": dead}) == said


def test_one_minute_is_one_minute() -> None:
    assert recounted(1) == "1 minute is being counted again"
    assert recounted(1_200) == "1,200 minutes are being counted again"

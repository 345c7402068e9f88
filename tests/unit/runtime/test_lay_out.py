from pathlib import Path

import pytest

from shared.runtime.lay_out import lay_out


@pytest.mark.parametrize(
    ("namespace", "gateway"),
    [
        ("weir; }", "gateway"),
        ("weir", "gateway; return 200"),
        ("", "gateway"),
        ("weir", "a:b"),
        ("weir", "gateway\n"),
    ],
)
def test_what_is_no_name_does_not_get_into_the_configuration(
    tmp_path: Path, namespace: str, gateway: str
) -> None:
    with pytest.raises(ValueError, match="is no name"):
        lay_out(tmp_path, None, namespace, gateway)
    assert not any(tmp_path.iterdir())


def test_without_a_console_there_is_the_document_alone(tmp_path: Path) -> None:
    lay_out(tmp_path, None, "weir", "gateway:80")
    assert sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*")) == [
        "files",
        "files/openapi.json",
        "here.conf",
    ]

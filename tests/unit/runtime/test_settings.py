import pytest
from pydantic import Field, ValidationError

from shared.runtime.environment import FromEnvironment
from shared.runtime.settings import Settings


class Trial(FromEnvironment):
    size: int = Field(default=8, ge=1)
    name: str | None = None


def test_the_environment_fills_what_is_not_given(monkeypatch):
    monkeypatch.setenv("WEIR_SIZE", "3")
    monkeypatch.setenv("WEIR_UNKNOWN", "x")
    assert Trial() == Trial(size=3, name=None)
    assert Trial(size=5).size == 5


def test_what_cannot_be_used_is_named(monkeypatch):
    monkeypatch.setenv("WEIR_SIZE", "0")
    with pytest.raises(ValidationError, match="size"):
        Trial()
    monkeypatch.setenv("WEIR_SIZE", "hunter2")
    with pytest.raises(ValidationError) as caught:
        Trial()
    assert "hunter2" not in str(caught.value)


def test_settings_do_not_change():
    with pytest.raises(ValidationError, match="frozen"):
        Trial().size = 4


def test_a_secret_has_no_default_and_is_not_shown(monkeypatch):
    for name in ("WEIR_DATABASE_URL", "WEIR_REDIS_URL", "WEIR_SECRET"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValidationError, match=r"(?s)database_url.*redis_url.*secret"):
        Settings.model_validate({})
    settings = Settings(database_url="postgresql://u:hunter2@h/d", redis_url="redis://h", secret="hunter2")
    assert "hunter2" not in repr(settings)


def test_networks_are_listed_with_commas(monkeypatch):
    monkeypatch.setenv("WEIR_SINK_ALLOW", "10.0.0.0/8, 127.0.0.0/8,")
    settings = Settings(database_url="x", redis_url="x", secret="x")
    assert settings.sink_allow == ("10.0.0.0/8", "127.0.0.0/8")


WHERE = {"database_url": "postgresql://h/d", "redis_url": "redis://h", "secret": "s"}


@pytest.mark.parametrize(
    ("written", "origins"),
    [
        ("", ()),
        ("https://console.example.com", ("https://console.example.com",)),
        (
            "https://Console.Example.com:443/ , http://localhost:5173",
            ("https://console.example.com", "http://localhost:5173"),
        ),
        ("http://[::1]:80", ("http://[::1]",)),
    ],
)
def test_origins_are_kept_as_browsers_write_them(monkeypatch, written, origins):
    monkeypatch.setenv("WEIR_CONSOLE_ORIGINS", written)
    assert Settings(**WHERE).console_origins == origins


@pytest.mark.parametrize(
    "written",
    [
        "*",
        "null",
        "console.example.com",
        "https://*.example.com",
        "ftp://example.com",
        "https://",
        "https://h:99999",
    ],
)
def test_a_pattern_is_no_origin(written):
    with pytest.raises(ValidationError, match="console_origins"):
        Settings(**WHERE, console_origins=(written,))


@pytest.mark.parametrize(
    "written", ["https://a.example/console", "https://u@a.example", "https://a.example?x=1"]
)
def test_more_than_an_origin_is_refused_with_what_to_write(written):
    with pytest.raises(ValidationError, match=r"write https://a\.example"):
        Settings(**WHERE, console_origins=(written,))


@pytest.mark.parametrize(
    "written",
    [
        "https://bücher.example",
        "https://\u212aonsole.example.com",  # the sign of Kelvin, which is a `k` in lower case
        "https://console\u3002example.com",
        "https://a b.example",
        "https://a%62.example",
    ],
)
def test_a_host_is_written_in_ascii_as_browsers_send_it(written):
    with pytest.raises(ValidationError, match="xn--"):
        Settings(**WHERE, console_origins=(written,))


def test_a_host_in_the_ascii_form_of_another_script_is_an_origin():
    written = "https://xn--bcher-kva.example"
    assert Settings(**WHERE, console_origins=(written,)).console_origins == (written,)

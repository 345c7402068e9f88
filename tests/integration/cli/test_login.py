"""`weir login` against a running Weir: approved as a person would, and what is kept of it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.commands.login import address, context_name
from cli.errors import CommandError
from tests.support import keychain
from tests.support.weir import LocalWeir

CODE = re.compile(r"code ([A-Z]{4}-[A-Z]{4})")
NO_KEYCHAIN = "keyring.backends.fail.Keyring"


class Laptop:
    """The command as somebody uses it who has nothing of the Weir's own machine: `config` is their folder."""

    def __init__(self, weir: LocalWeir, url: str, config: Path, person: httpx.Client) -> None:
        self.weir = weir
        self.url = url
        self.config = config
        self.person = person
        self.environment = {
            "WEIR_HOME": str(config / "no-home"),
            "XDG_CONFIG_HOME": str(config),
            "PYTHON_KEYRING_BACKEND": NO_KEYCHAIN,
        }

    def call(self, *arguments: str, code: int = 0, chosen: bool = True) -> Any:
        context = ["--context", context_name(self.url)] if chosen else []
        done = self.weir.run(*arguments, *context, **self.environment)
        assert done.returncode == code, (done.stdout, done.stderr)
        return done

    def answer(self, *arguments: str, chosen: bool = True) -> Any:
        return json.loads(self.call(*arguments, "-o", "json", chosen=chosen).stdout)

    def log_in(self, decision: str = "approve", code: int = 0) -> str:
        """Call `weir login`, and decide as soon as it says what about. What it said."""
        process = self.weir.start("login", self.url, "--no-browser", **self.environment)
        assert process.stderr is not None
        said = ""
        while (found := CODE.search(said)) is None or "#code=" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        answer = self.person.post(f"/v1/auth/device/{decision}", json={"userCode": found[1]})
        assert answer.status_code == 204, answer.text
        rest = process.communicate(timeout=60)[1]
        assert process.returncode == code, said + rest
        return said + rest

    def files(self) -> list[Path]:
        return sorted((self.config / "weir" / "sessions").glob("*.json"))

    def kept(self) -> dict[str, Any]:
        return json.loads(self.files()[0].read_text())

    def age(self) -> None:
        """The access token has ended meanwhile."""
        self.files()[0].write_text(json.dumps({**self.kept(), "expires_at": 0}))


@pytest.fixture
def laptop(running: LocalWeir, tmp_path: Path) -> Iterator[Laptop]:
    link = running.run("open", "--print").stdout.strip()
    url = running.json("context", "show")["url"]
    with httpx.Client(base_url=url) as person:
        session = person.post("/v1/auth/link", json={"token": link.partition("token=")[2]})
        person.headers["authorization"] = f"Bearer {session.json()['accessToken']}"
        yield Laptop(running, url, tmp_path, person)


def test_signed_in_by_the_browser_commands_need_no_key(laptop: Laptop) -> None:
    said = laptop.log_in()
    assert f"{laptop.url}/device#code=" in said
    assert laptop.answer("whoami") == {
        "email": "owner@localhost",
        "name": "Owner",
        "context": context_name(laptop.url),
        "url": laptop.url,
        "project": "default",
        "role": "owner",
        "projects": laptop.person.get("/v1/me").json()["projects"],
    }
    shown = laptop.answer("context", "show", context_name(laptop.url), chosen=False)
    assert shown == {"url": laptop.url, "project": "default", "session": True}
    laptop.call("events", "ls")
    made = laptop.answer("projects", "create", "by-session", "--save")
    assert made == {"url": laptop.url, "project": "by-session", "session": True}
    laptop.call("events", "ls", "--context", "by-session", chosen=False)

    (file,) = laptop.files()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700

    token = laptop.kept()["refresh_token"]
    laptop.call("logout")
    assert laptop.files() == []
    assert laptop.answer("context", "ls", chosen=False)["items"] == []
    laptop.call("whoami", code=3)
    refused = httpx.post(f"{laptop.url}/v1/auth/device/refresh", json={"refreshToken": token})
    assert refused.status_code == 401


def test_a_denial_is_an_error_of_credentials(laptop: Laptop) -> None:
    assert "said no" in laptop.log_in("deny", code=4)
    assert laptop.files() == []


def test_tokens_are_in_the_keychain_where_there_is_one(laptop: Laptop) -> None:
    file = laptop.config / "keychain.json"
    laptop.environment |= {"PYTHON_KEYRING_BACKEND": keychain.BACKEND, keychain.VARIABLE: str(file)}
    assert "keychain" in laptop.log_in()
    assert laptop.kept() == {"url": laptop.url, "email": "owner@localhost", "keptIn": "keychain"}
    account = f"weir {laptop.url}"
    before = json.loads(json.loads(file.read_text())[account])
    file.write_text(json.dumps({account: json.dumps({**before, "expires_at": 0})}))
    laptop.call("whoami")
    after = json.loads(json.loads(file.read_text())[account])
    assert after["refresh_token"] != before["refresh_token"]
    laptop.call("logout")
    assert json.loads(file.read_text()) == {}


def test_a_keychain_that_is_locked_is_passed_over(laptop: Laptop) -> None:
    laptop.environment["PYTHON_KEYRING_BACKEND"] = keychain.BACKEND
    assert "sessions" in laptop.log_in()
    laptop.call("whoami")


def test_commands_at_the_same_time_refresh_once(laptop: Laptop) -> None:
    laptop.log_in()
    before = laptop.kept()
    laptop.age()
    running = [
        laptop.weir.start("whoami", "--context", context_name(laptop.url), **laptop.environment)
        for _ in range(4)
    ]
    said = [process.communicate(timeout=60) for process in running]
    assert [process.returncode for process in running] == [0] * 4, said
    assert laptop.kept()["refresh_token"] != before["refresh_token"]
    laptop.call("whoami")


def test_an_access_token_that_is_refused_is_renewed(laptop: Laptop) -> None:
    laptop.log_in()
    laptop.files()[0].write_text(json.dumps({**laptop.kept(), "access_token": "e30.e30.x"}))
    laptop.call("events", "ls")


def test_a_session_that_was_ended_says_what_to_do(laptop: Laptop) -> None:
    laptop.log_in()
    token = laptop.kept()["refresh_token"]
    ended = httpx.post(f"{laptop.url}/v1/auth/device/sign-out", json={"refreshToken": token})
    assert ended.status_code == 204
    laptop.age()
    for _ in range(2):
        assert f"weir login {laptop.url}" in laptop.call("events", "ls", code=4).stderr


def test_whoami_with_a_key_names_it_without_its_secret(running: LocalWeir) -> None:
    key = running.json("context", "show")["apiKey"]
    found = running.json("whoami")
    assert found["key"] == "_".join(key.split("_")[:2])
    assert key not in json.dumps(found)
    assert "default" in [project["name"] for project in found["projects"]]
    done = running.run("logout")
    assert done.returncode == 3
    assert "has a key and no session" in done.stderr


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("weir.example.com", "https://weir.example.com"),
        ("https://weir.example.com/", "https://weir.example.com"),
        ("http://127.0.0.1:8480", "http://127.0.0.1:8480"),
        ("http://[::1]:8480", "http://[::1]:8480"),
    ],
)
def test_an_address_as_it_is_typed(typed: str, meant: str) -> None:
    assert address(typed) == meant


@pytest.mark.parametrize(
    "typed",
    ["", "ftp://weir.example.com", "https://a:b@weir.example.com", "http://weir.example.com", "https://x:0"],
)
def test_an_address_that_tokens_must_not_go_to(typed: str) -> None:
    with pytest.raises(CommandError):
        address(typed)

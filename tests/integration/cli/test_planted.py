"""Secrets are planted in a Weir that runs, and then looked for wherever it says something."""

import base64
import json
import secrets
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import httpx
import pytest

from cli.local.accounts import OUTSIDE
from cli.main import COMMANDS
from shared.auth.sealing_keys import make_sealing_key
from tests.support.weir import LocalWeir

METRICS = secrets.token_hex(16)


def planted(what: str) -> str:
    """A secret that says where it was planted, should it be found."""
    return f"planted-{what}-{secrets.token_hex(8)}"


SECRET = planted("deployment") + "-32-signs-or-more"
SEALING = make_sealing_key("2027")
TOKEN, PASSWORD, VALUE, CLIENT, SOURCE = (
    planted(w) for w in ("token", "password", "value", "client", "source")
)
SIGNING = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
BASIC = base64.b64encode(f"weir:{PASSWORD}".encode()).decode()
AUTHS: list[dict[str, Any]] = [
    {"type": "bearer", "token": TOKEN},
    {"type": "basic", "username": "weir", "password": PASSWORD},
    {"type": "header", "name": "X-Key", "value": VALUE},
    {"type": "oauth2", "tokenUrl": "http://127.0.0.1:1/token", "clientId": "c", "clientSecret": CLIENT},
]
EVERY = [
    SECRET,
    SEALING.partition(":")[2],
    TOKEN,
    PASSWORD,
    VALUE,
    CLIENT,
    SOURCE,
    SIGNING,
    SIGNING[6:],
    BASIC,
]


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWeir]:
    made = LocalWeir(
        tmp_path_factory.mktemp("planted") / "home",
        WEIR_LOG_LEVEL="debug",
        WEIR_METRICS_TOKEN=METRICS,
        WEIR_SECRET=SECRET,
        WEIR_SEALING_KEYS=SEALING,
        # Everything that can be read is read to its end.
        WEIR_LIVE_STREAM_SECONDS="0.05",
    )
    made.up()
    yield made
    made.kill()


def paths(of: str, client: httpx.Client) -> Iterator[str]:
    """Everything that can be read of a project without knowing more than its name."""
    document = client.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        if "get" in methods and path.count("{") <= path.count("{project}"):
            yield path.replace("{project}", of)


def test_nothing_that_is_secret_is_said_anywhere(local: LocalWeir) -> None:
    context = json.loads((local.home / "context.json").read_text())
    key = context["apiKey"]
    project = f"/v1/projects/{context['project']}"
    said: dict[str, str] = {}
    with httpx.Client(
        base_url=context["url"], timeout=60, headers={"authorization": f"Bearer {key}"}
    ) as client:

        def call(method: str, path: str, body: Any = None) -> httpx.Response:
            answer = client.request(method, path, json=body)
            said[f"{method} {path} {len(said)}"] = answer.text + str(answer.headers)
            return answer

        made = []
        for number, auth in enumerate(AUTHS):
            body = {
                "name": f"s{number}",
                "sink": "http://127.0.0.1:1/closed",
                "auth": auth,
                "signingSecrets": [SIGNING],
                "delivery": {"retry": 0},
            }
            answer = call("POST", f"{project}/subscriptions", body)
            assert answer.status_code == 201, answer.text
            made.append(answer.json()["id"])
            # What is refused may not repeat what it was asked either.
            assert call("POST", f"{project}/subscriptions", body).status_code == 409
            for wrong in (
                {"signingSecrets": [TOKEN, 5]},
                {"sink": "no address"},
                {"auth": auth | {"more": SOURCE}},
            ):
                assert (
                    call("POST", f"{project}/subscriptions", body | {"name": "w"} | wrong).status_code == 422
                )
            call("POST", f"{project}/subscriptions/{made[-1]}/probe", {})
        source = {"name": "gh", "kind": "github", "secrets": [SOURCE]}
        assert call("POST", f"{project}/sources", source).status_code == 201
        assert call("POST", f"{project}/sources", source).status_code == 409
        assert call("POST", f"{project}/sources", source | {"name": "x", "kind": "none"}).status_code == 422
        hook = client.post(
            f"/in/{context['project']}/gh", headers={"x-hub-signature-256": "sha256=00"}, content=b"{}"
        )
        said["a webhook with a wrong signature"] = hook.text
        wrong_key = client.get(project, headers={"authorization": f"Bearer {key[:-3]}aaa"})
        assert wrong_key.status_code == 401
        said["a wrong key"] = wrong_key.text
        emitted = local.run("emit", "-t", "order.created", "-s", "/shop", "-d", "{}", "--wait", "20s")
        said["weir emit"] = emitted.stdout + emitted.stderr
        for path in paths(context["project"], client):
            answer = client.get(path)
            said[path] = answer.text
        for listed, one in (
            ("deliveries", "id"),
            ("events", "uid"),
            ("audit", "id"),
            ("subscriptions", "id"),
        ):
            for item in client.get(f"{project}/{listed}").json()["items"]:
                said[f"{listed} {item[one]}"] = client.get(f"{project}/{listed}/{item[one]}").text
        metrics = client.get("/metrics", headers={"authorization": f"Bearer {METRICS}"})
        assert "weir_cache_hits_total" in metrics.text
        said["metrics"] = metrics.text
    for command in (
        *(("subscriptions", "ls"), ("sources", "ls"), ("keys", "ls"), ("deliveries", "ls"), ("events", "ls")),
        *(
            (group, "ls")
            for group in ("audit", "members", "roles", "producers", "types")
            if group in COMMANDS
        ),
        *(("status",), ("secrets", "status"), ("secrets", "rotate")),
        *(("signing-keys", "ls"), ("signing-keys", "rotate")),
        *(("subscriptions", "get", f"s{number}") for number in range(len(AUTHS))),
    ):
        for form in ("json", "yaml"):
            ran = local.run(*command, "-o", form)
            assert ran.returncode == 0, (command, ran.stderr)
            said[f"weir {' '.join(command)} -o {form}"] = ran.stdout + ran.stderr
    for log in local.home.glob("*.log"):
        said[log.name] = log.read_text()
    assert '"level":"debug"' in said["workers.log"]
    found = [(where, what) for where, text in said.items() for what in EVERY if what in text]
    assert found == []
    # The key that everything was asked with is in no answer, and in no log.
    assert [where for where, text in said.items() if key.rpartition("_")[2] in text] == []


def test_what_lies_on_the_disk_is_sealed(local: LocalWeir) -> None:
    """The pages and the log of Postgres, and what Redis has written."""
    ended = local.run("down")
    assert ended.returncode == 0, ended.stderr
    elsewhere = OUTSIDE / f"weir-{sha256(str(local.home.resolve()).encode()).hexdigest()[:12]}"
    folders = (local.home / "postgres", local.home / "redis", elsewhere / "postgres")
    files = [
        file for folder in folders for file in folder.rglob("*") if file.is_file() and file.suffix != ".conf"
    ]
    assert any(file.name == "PG_VERSION" for file in files)
    held = [EVERY[0], *EVERY[2:]]
    for file in files:
        content = file.read_bytes()
        assert [what for what in held if what.encode() in content] == [], file

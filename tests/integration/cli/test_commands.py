"""The commands that talk to a running Weir, each with its answers, forms and exit codes."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from cli.main import weir as command
from cli.receiver import Behaviour, Receiver
from tests.support import webhooks
from tests.support.certificates import authority
from tests.support.weir import LocalWeir


@pytest.fixture(autouse=True)
def _in_its_home(running: LocalWeir, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("WEIR_URL", "WEIR_PROJECT", "WEIR_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WEIR_HOME", str(running.home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def call(*arguments: str, code: int = 0, given: str | None = None) -> Result:
    done = CliRunner().invoke(command, arguments, input=given)
    assert done.exit_code == code, (done.output, done.exception)
    return done


def answer(*arguments: str, code: int = 0) -> Any:
    return json.loads(call(*arguments, "-o", "json", code=code).stdout)


@contextmanager
def receiver(behaviour: Behaviour) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A local sink's address and what it got."""
    got: list[dict[str, Any]] = []
    server = Receiver(0, behaviour, got.append)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server.url, got
    server.ending.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """A project of the test's own, in the environment of its commands."""
    name = re.sub("[^a-z0-9]+", "-", request.node.name.lower())[:50].strip("-")
    made = answer("projects", "create", name)
    monkeypatch.setenv("WEIR_PROJECT", made["project"])
    monkeypatch.setenv("WEIR_API_KEY", made["apiKey"])
    return name


def subscribe(name: str, sink: str, *more: str) -> Any:
    quick = '{"retry": 1, "backoffDelay": "PT0.05S"}'
    return answer("subscriptions", "create", name, "--sink", sink, "--delivery", quick, *more)


def test_an_event_is_seen_through(project: str) -> None:
    with receiver(Behaviour(fail=1)) as (url, got):
        made = subscribe("billing", f"{url}/hook", "--type", "order.created")
        sent = answer(
            "emit", "-t", "order.created", "-s", "/shop", "-d", '{"id": 7}', "--id", "a1", "--subject", "7",
            "--ext", "region=eu", "--wait", "20s",
        )  # fmt: skip
    assert sent["id"] == "a1"
    assert not sent["duplicate"]
    assert [d["status"] for d in sent["deliveries"]] == ["delivered"]
    assert [g["status"] for g in got] == [503, 200]
    assert got[1]["headers"]["ce-region"] == "eu"
    assert json.loads(got[1]["body"]) == {"id": 7}
    assert answer("emit", "-t", "order.created", "-s", "/shop", "--id", "a1")["duplicate"]

    listed = answer("events", "ls", "--type", "order.created", "--since", "1h")
    assert [e["uid"] for e in listed["items"]] == [sent["uid"]]
    assert "1 delivered" in call("events", "ls", "-o", "wide").stdout
    assert call("events", "ls", "-o", "name").stdout.split() == [sent["uid"]]
    assert answer("events", "get", sent["uid"])["event"]["subject"] == "7"
    assert "billing" in call("events", "get", sent["uid"]).stdout
    verdicts = answer("events", "get", sent["uid"], "--explain")
    assert [(v["subscription"], v["matched"]) for v in verdicts["items"]] == [(made["id"], True)]

    delivery = answer("deliveries", "ls", "--event", sent["uid"])["items"][0]
    assert delivery["subscription"] == made["id"]
    assert [a["statusCode"] for a in answer("deliveries", "get", delivery["id"])["attempts"]] == [503, 200]
    assert "503" in call("deliveries", "get", delivery["id"]).stdout
    assert "no delivery matches" in call("deliveries", "ls", "--status", "dead").stderr

    counted = call("overview", "--since", "1h")
    assert re.search(r"^billing +100\.00 % +0 +0 +1 ", counted.stdout, re.MULTILINE)
    assert "(1), delivered 100.00 %" in counted.stderr
    assert call("overview", "--by", "type", "-o", "name").stdout.split() == ["order.created"]
    assert sum(point["events"] for point in answer("overview", "--by", "minute")["points"]) == 1


def test_a_failed_delivery_is_code_6(project: str) -> None:
    with receiver(Behaviour(status=422)) as (url, _):
        subscribe("refuses", url)
        done = call("emit", "-t", "a", "-s", "/x", "--wait", "20s", code=6)
    assert "refuses: 422" in done.stderr or "refuses:" in done.stderr
    assert "weir deliveries get" in done.stderr
    assert "dead" in done.stdout


def test_time_that_is_up_is_code_6(project: str) -> None:
    with receiver(Behaviour(hang=True)) as (url, _):
        subscribe("hangs", url)
        done = call("emit", "-t", "a", "-s", "/x", "--wait", "500ms", code=6)
    assert "not delivered within 0.5 s" in done.stderr


def test_an_event_that_nobody_wants_is_delivered_to_nobody(project: str) -> None:
    done = call("emit", "-t", "a", "-s", "/x", "--wait", "10s")
    assert "no subscription matched" in done.stderr


def test_data_from_a_file_and_from_standard_input(project: str, tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(b"\xff\x00")
    uid = answer("emit", "-t", "a", "-s", "/x", "-d", f"@{tmp_path / 'data.bin'}")["uid"]
    assert answer("events", "get", uid)["event"]["data_base64"] == "/wA="
    uid = json.loads(call("emit", "-t", "a", "-s", "/x", "-d", "@-", "-o", "json", given="[1]").stdout)["uid"]
    assert answer("events", "get", uid)["event"]["data"] == [1]
    assert "No such file" in call("emit", "-t", "a", "-s", "/x", "-d", "@nowhere", code=1).stderr


def test_a_subscription_with_credentials_certificates_and_a_transform(project: str, tmp_path: Path) -> None:
    certificate, key = authority().certificate("weir")
    files = {"auth.json": '{"type": "bearer", "token": "secret-1"}', "t.jsonata": '{"data": data.n}'}
    for name, text in {**files, "c.pem": certificate, "k.pem": key, "ca.pem": authority().pem}.items():
        (tmp_path / name).write_text(text)
    options = [f"--cert={tmp_path}/c.pem", f"--key={tmp_path}/k.pem", f"--ca={tmp_path}/ca.pem"]
    options += [f"--auth=@{tmp_path}/auth.json", f"--transform=@{tmp_path}/t.jsonata"]
    made = answer("subscriptions", "create", "crm", "--sink", "https://127.0.0.1:9/", *options)
    assert made["auth"] == {"type": "bearer"}
    assert made["tls"]["subject"] == "CN=weir"
    assert made["transform"] == {"jsonata": '{"data": data.n}'}
    paused = answer("subscriptions", "pause", "crm")
    assert (paused["auth"], paused["transform"]) == (made["auth"], made["transform"])
    uid = answer("emit", "-t", "a", "-s", "/x", "-d", '{"n": 7}')["uid"]
    assert answer("subscriptions", "transform", '{"data": data.n}', "--event", uid)["data"] == 7
    assert "would not be sent" in call("subscriptions", "transform", "null", "--event", uid).stderr
    refused = call("subscriptions", "transform", '{"a": ', "--event", uid, code=5)
    assert "character 6" in refused.stderr
    failed = call("subscriptions", "transform", "5", "--data", '{"specversion": "1.0"}', code=5)
    assert "/event" in failed.stderr


def test_subscriptions_from_beginning_to_end(project: str, tmp_path: Path) -> None:
    document = tmp_path / "s.yaml"
    document.write_text("name: audit\nsink: http://127.0.0.1:9/\nfilters:\n- prefix: {type: order.}\n")
    made = answer(
        "subscriptions", "create", "-f", str(document), "--type", "order.created", "--type", "order.paid"
    )
    assert made["filters"] == [
        {"prefix": {"type": "order."}},
        {"any": [{"exact": {"type": "order.created"}}, {"exact": {"type": "order.paid"}}]},
    ]
    assert "audit" in call("subscriptions", "ls").stdout
    assert answer("subscriptions", "get", "audit")["id"] == answer("subscriptions", "get", made["id"])["id"]
    assert answer("subscriptions", "pause", "audit")["state"] == "paused"
    assert answer("subscriptions", "resume", "audit")["state"] == "active"
    call("emit", "-t", "order.created", "-s", "/x")
    checked = call("subscriptions", "check", '[{"exact": {"type": "other"}}]', "--subscription", "audit")
    assert "0 of 1 match; 0 more and 1 fewer than saved" in checked.stderr
    expressions = ("--cel", "has(data.total)", "--sql", "type = 'a' OR type = 'b' AND source = 'c'")
    checked = call("subscriptions", "check", *expressions)
    assert "0 of 1 match" in checked.stderr
    assert "warning: /filters/0/sql: AND, OR and XOR bind equally" in checked.stderr
    assert call("subscriptions", "check", code=2)
    (uid,) = [event["uid"] for event in answer("events", "ls")["items"]]
    explained = answer("events", "explain", uid, "--subscription", "audit", "--version", "1")
    assert [item["matched"] for item in explained["items"]] == [True]
    assert "audit" in call("events", "explain", uid).stdout
    assert call("events", "explain", uid, "--version", "1", code=2)
    cel = answer("subscriptions", "create", "big", "--sink", "http://127.0.0.1:9/", "--cel", "data.total > 1")
    assert cel["filters"] == [{"cel": "data.total > 1"}]
    call("subscriptions", "delete", "big", "--yes")
    assert "Not done without being asked" in call("subscriptions", "delete", "audit", code=2).stderr
    call("subscriptions", "delete", "audit", "--yes")
    assert "no subscription 'audit'" in call("subscriptions", "get", "audit", code=3).stderr
    assert "no subscription yet" in call("subscriptions", "ls").stderr


def test_a_test_event_is_sent_and_shown(project: str) -> None:
    url = answer("context", "show")["url"]
    answer("subscriptions", "create", "mine", "--sink", f"{url}/sink/{project}")
    tried = answer("subscriptions", "probe", "mine")
    assert (tried["delivered"], tried["event"]["type"]) == (True, "dev.weir.probe")
    given = '{"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}'
    assert answer("subscriptions", "probe", "mine", "--data", given)["event"]["type"] == "t"
    answer("subscriptions", "create", "nobody", "--sink", "http://127.0.0.1:9/")
    failed = call("subscriptions", "probe", "nobody", code=6)
    assert "Connection refused" in failed.stdout
    assert "the sink did not take it: no connection" in failed.stderr
    assert "See that the sink runs" in failed.stderr
    call("subscriptions", "probe", "mine", "--data", given, "--event", "x", code=2)
    call("subscriptions", "probe", "who", code=3)


def test_what_cannot_be_subscribed(project: str) -> None:
    bad = call(
        "subscriptions", "create", "x", "--sink", "http://127.0.0.1:9", "--filters", '[{"exac": {}}]', code=5
    )
    assert "/filters/0" in bad.stderr
    assert call("subscriptions", "create", "x", code=2)
    assert call("subscriptions", "create", "-f", "/nowhere", code=1)
    assert call("subscriptions", "create", "x", "--filters", "{", code=5)
    call("subscriptions", "create", "-f", "-", given="[]", code=5)


def test_keys_from_beginning_to_end(project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = answer("keys", "create", "shop", "--source", "/shop", "--expires-in", "1d")
    assert made["scopes"] == ["events:write"]
    assert made["id"] in call("keys", "ls", "-o", "name").stdout.split()
    assert call("keys", "create", "reader", "--scope", "events:read", "-o", "name").stdout.startswith("weir_")
    owner = json.loads(call("context", "show", "-o", "json").stdout)["apiKey"]
    monkeypatch.setenv("WEIR_API_KEY", made["key"])
    call("emit", "-t", "a", "-s", "/shop")
    call("emit", "-t", "a", "-s", "/other", code=4)
    call("events", "ls", code=4)
    monkeypatch.setenv("WEIR_API_KEY", owner)
    call("keys", "revoke", made["key"], "--yes")
    call("keys", "revoke", "AAAAAAAAAAAA", "--yes", code=3)


def test_a_keys_secret_and_expiry(project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = answer("keys", "create", "shop")
    owner = json.loads(call("context", "show", "-o", "json").stdout)["apiKey"]
    rotated = answer("keys", "rotate", made["id"], "--overlap", "2h")
    assert rotated["key"] != made["key"]
    assert rotated["previousExpiresAt"] is not None
    for text in (made["key"], rotated["key"]):
        monkeypatch.setenv("WEIR_API_KEY", text)
        call("emit", "-t", "a", "-s", "/shop")
    monkeypatch.setenv("WEIR_API_KEY", owner)
    assert "still works" in call("keys", "rotate", made["key"], code=5).stderr
    call("keys", "rotate", made["id"], "--end-previous")
    text = call("keys", "rotate", made["id"], "--overlap", "0", "-o", "name").stdout.strip()
    assert text.startswith(f"weir_{made['id']}_")
    assert answer("keys", "expire", made["id"], "--in", "90d")["expiresAt"] is not None
    at = "2040-01-02T03:04:05Z"
    assert answer("keys", "expire", made["id"], "--at", at)["expiresAt"] == at
    assert answer("keys", "expire", text, "--never")["expiresAt"] is None
    call("keys", "expire", made["id"], code=2)
    assert made["id"] in call("keys", "ls", "--search", "shop", "-o", "name").stdout.split()
    call("keys", "revoke", made["id"], "--yes")
    listed = answer("keys", "ls", "--revoked")["items"]
    assert [(item["id"], item["createdBy"]["kind"]) for item in listed] == [(made["id"], "key")]
    assert made["id"] not in call("keys", "ls", "-o", "name").stdout.split()


def test_roles_and_members_from_beginning_to_end(project: str) -> None:
    made = answer("roles", "create", "auditor", "--permission", "events:read", "--permission", "audit:read")
    assert made["permissions"] == ["audit:read", "events:read"]
    changed = answer("roles", "set", "auditor", "--add", "types:read", "--take", "audit:read")
    assert changed["permissions"] == ["events:read", "types:read"]
    assert answer("roles", "set", "auditor", "--rename", "inspector")["name"] == "inspector"
    names = ["owner", "admin", "operator", "viewer", "inspector"]
    assert call("roles", "ls", "-o", "name").stdout.split() == names
    call("roles", "set", "inspector", "--add", "nothing:real", code=5)
    (member,) = answer("members", "ls")["items"]
    assert (member["email"], member["role"]) == ("owner@localhost", "owner")
    last = call("members", "set", "owner@localhost", "inspector", code=5)
    assert "last owner" in last.stderr
    assert answer("members", "set", member["id"], "owner")["role"] == "owner"
    call("members", "remove", "Owner@localhost", "--yes", code=5)
    call("members", "set", "nobody@example.com", "viewer", code=3)
    call("roles", "delete", "inspector", "--yes")
    call("roles", "delete", "inspector", "--yes", code=3)


def test_sources_from_beginning_to_end(project: str, tmp_path: Path) -> None:
    kinds = {kind["name"] for kind in answer("sources", "kinds")["items"]}
    assert {"github", "stripe", "plain"} <= kinds
    assert "made" in call("sources", "kinds").output
    assert "no source yet" in call("sources", "ls").output
    made = call("sources", "create", "repos", "--kind", "github", "--rate", "5")
    assert "shown this once" in made.stderr
    assert f"/in/{project}/repos" in made.stdout
    url = call("sources", "create", "ci", "--kind", "github", "-o", "name").stdout.strip()
    secret = answer("sources", "rotate", "ci")["secret"]
    body = b'{"action": "opened"}'
    for expected in (True, False):
        headers = webhooks.github(secret, body, "issues", str(expected))
        taken = httpx.post(url, headers=headers, content=body)
        assert (taken.status_code == 202) is expected
        secret = "another secret"
    assert "newest secret alone" in call("sources", "rotate", "ci", "--finish").stderr
    assert [source["name"] for source in answer("sources", "ls")["items"]] == ["ci", "repos"]
    settings = tmp_path / "settings.yaml"
    settings.write_text("header: X-Sign\nalgorithm: sha1\n")
    given = ("--secret", "a secret of both", "--settings", f"@{settings}")
    bare = answer("sources", "create", "bare", "--kind", "hmac", *given)
    assert (bare["settings"], bare["secret"]) == ({"header": "X-Sign", "algorithm": "sha1"}, None)
    call("sources", "create", "pay", "--kind", "stripe", code=5)
    call("sources", "create", "ci", "--kind", "github", code=5)
    call("sources", "rotate", "ci", "--finish", "--secret", "x", code=2)
    call("sources", "delete", "repos", code=2)
    assert "deleted repos" in call("sources", "delete", "repos", "--yes").stderr
    call("sources", "delete", "repos", "--yes", code=3)


def test_producers_from_beginning_to_end(project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = answer("producers", "create", "shop", "--source", "/shop*", "--rate", "1000", "--burst", "2000")
    assert (made["sources"], made["ratePerSecond"], made["oidc"]) == (["/shop*"], 1000, None)
    oidc = ("--issuer", "https://issuer.example.com", "--audience", "weir", "--subject", "*")
    assert answer("producers", "create", "cart", *oidc)["oidc"]["subject"] == "*"
    assert "go together" in call("producers", "create", "x", *oidc[:2], code=2).stderr
    call("producers", "create", "shop", code=5)
    assert call("producers", "ls", "-o", "name").stdout.split() == ["cart", "shop"]
    key = answer("keys", "create", "checkout", "--producer", "shop")
    assert key["producer"] == "shop"
    call("keys", "create", "checkout", "--producer", "nobody", code=5)
    owner = json.loads(call("context", "show", "-o", "json").stdout)["apiKey"]
    monkeypatch.setenv("WEIR_API_KEY", key["key"])
    call("emit", "-t", "a", "-s", "/shop")
    call("emit", "-t", "a", "-s", "/other", code=4)
    monkeypatch.setenv("WEIR_API_KEY", owner)
    call("producers", "delete", "shop", "--yes")
    call("producers", "delete", "shop", "--yes", code=3)
    monkeypatch.setenv("WEIR_API_KEY", key["key"])
    call("emit", "-t", "a", "-s", "/shop", code=4)


def test_projects_and_contexts(running: LocalWeir, monkeypatch: pytest.MonkeyPatch) -> None:
    made = answer("projects", "create", "saved", "--save")
    assert set(made) == {"url", "project", "apiKey"}
    assert call("projects", "create", "saved", code=5)
    assert answer("context", "show", "saved") == made
    assert answer("projects", "ls", "--context", "saved")["items"][0]["name"] == "saved"
    monkeypatch.delenv("WEIR_HOME")
    monkeypatch.chdir(running.home.parent)
    call("context", "save", "other", "--url", made["url"], "--project", "saved", "--api-key", made["apiKey"])
    call("context", "use", "other")
    assert [c["name"] for c in answer("context", "ls")["items"] if c["current"]] == ["other"]
    assert "other" in call("context", "ls").stdout
    assert call("events", "ls").exit_code == 0
    call("context", "use", "nope", code=3)


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEIR_URL", "http://127.0.0.1:9")
    assert "does not answer" in call("events", "ls", code=1).stderr


def test_a_key_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEIR_API_KEY", "weir_no_no")
    assert "→" in call("events", "ls", code=4).stderr


def test_status_and_open(running: LocalWeir) -> None:
    assert "worker-0" in call("status").stdout
    assert call("open", "--print").stdout.startswith("http://127.0.0.1:")
    assert "ready" in call("status").stderr


def test_the_database_is_brought_up_to_date(running: LocalWeir, monkeypatch: pytest.MonkeyPatch) -> None:
    call("migrate", code=2)
    url = json.loads((running.home / "running.json").read_text())["database_url"]
    monkeypatch.setenv("WEIR_DATABASE_URL", url)
    assert "up to date" in call("migrate").stderr
    monkeypatch.setenv("WEIR_DATABASE_URL", "postgresql://x:y@127.0.0.1:9/weir")
    call("migrate", code=1)


class TestSink:
    def test_it_prints_what_arrives_and_ends_after_so_many(self, running: LocalWeir) -> None:
        process = running.start("sink", "--fail", "1", "--count", "3", "-o", "ndjson", "--header", "x-a:b")
        assert process.stderr is not None
        url = process.stderr.readline().split()[-1]
        codes = [httpx.post(url, content=c).status_code for c in (b"1", b"\xff")]
        chunked = httpx.put(f"{url}/x", content=iter([b"ab", b"c"]))
        assert [*codes, chunked.status_code] == [503, 200, 200]
        assert chunked.headers["x-a"] == "b"
        out, _ = process.communicate(timeout=20)
        lines = [json.loads(line) for line in out.splitlines()]
        assert [(g["method"], g["path"], g["status"]) for g in lines] == [
            ("POST", "/", 503),
            ("POST", "/", 200),
            ("PUT", "/x", 200),
        ]
        assert (lines[0]["body"], lines[1]["bodyBase64"], lines[2]["body"]) == ("1", "/w==", "abc")

    def test_it_hangs_is_slow_and_ends_at_a_signal(self, running: LocalWeir) -> None:
        for options, answers in ((["--hang"], False), (["--delay", "100ms", "--status", "429"], True)):
            process = running.start("sink", *options)
            assert process.stderr is not None
            url = process.stderr.readline().split()[-1]
            if answers:
                assert httpx.post(url).status_code == 429
            else:
                with pytest.raises(httpx.ReadTimeout):
                    httpx.post(url, timeout=0.3)
            process.terminate()
            out, _ = process.communicate(timeout=20)
            assert process.returncode == 0
            assert "POST  /" in out

    def test_a_port_that_is_taken(self, running: LocalWeir) -> None:
        with receiver(Behaviour()) as (url, _):
            done = running.run("sink", "--port", url.rpartition(":")[2])
        assert done.returncode == 1
        assert running.run("sink", "--header", "nothing").returncode == 2


def test_types_are_registered_checked_and_found_by(project: str, tmp_path: Path) -> None:
    schema = tmp_path / "order.json"
    schema.write_text('{"type": "object", "required": ["order"]}')
    assert "weir types set" in call("types", "ls").stderr
    order = ("types", "set", "com.acme/order")
    made = answer(*order, "--schema", str(schema), "--mode", "reject", "--facet", "order=/order/id")
    assert (made["schemaMode"], made["version"], made["facets"]) == ("reject", 1, {"order": "/order/id"})
    changed = answer(*order, "--facet", "shop=/shop", "--facet", "order=", "--description", "placed")
    assert (changed["schemaMode"], changed["version"], changed["facets"]) == ("reject", 1, {"shop": "/shop"})
    answer(*order, "--facet", "order=/order/id")
    assert [item["type"] for item in answer("types", "ls")["items"]] == ["com.acme/order"]
    assert answer("types", "get", "com.acme/order")["schemas"][0]["schema"] == json.loads(schema.read_text())
    check = ("types", "check", "com.acme/order")
    assert answer(*check, "-d", '{"order": 1}')["valid"] is True
    assert answer(*check, "-d", "{}", code=5)["errors"][0]["pointer"] == "/data"
    other = tmp_path / "other.json"
    other.write_text('{"type": "array"}')
    assert answer(*check, "-d", "[]", "--schema", str(other))["valid"] is True
    assert "is not JSON" in call(*check, "-d", "{", code=5).stderr

    emit = ("emit", "-t", "com.acme/order", "-s", "/shop")
    refused = call(*emit, "-d", "{}", code=5)
    assert "/data" in refused.stderr
    for number in (1, 2):
        call(*emit, "-d", f'{{"order": {{"id": "A-{number}"}}, "shop": "x"}}')
    assert answer("events", "ls", "--producer", "source:nobody")["items"] == []
    found = answer("events", "ls", "--facet", "order:A-1", "--facet", "shop:x")["items"]
    assert [item["facets"] for item in found] == [{"order": "A-1", "shop": "x"}]
    assert "no event matches" in call("events", "ls", "--faulty").stderr
    call("types", "delete", "com.acme/order", "--yes")
    call("types", "get", "com.acme/order", code=3)


def test_searches_find_are_kept_and_run(project: str) -> None:
    with receiver(Behaviour(fail=100)) as (url, _):
        subscribe("crm", f"{url}/hook", "--type", "order.created")
        call(
            "emit",
            "-t",
            "order.created",
            "-s",
            "/shop",
            "-d",
            '{"id": 7}',
            "--id",
            "a1",
            "--wait",
            "20s",
            code=6,
        )
        call(
            "emit",
            "-t",
            "order.paid",
            "-s",
            "/pay",
            "-d",
            '{"id": 8}',
            "--id",
            "a2",
            "--ext",
            "partitionkey=C-7",
        )

    def ids(*arguments: str) -> list[str]:
        return [item["event"]["id"] for item in answer("events", "ls", *arguments)["items"]]

    assert ids("--outcome", "failed", "--since", "1h") == ["a1"]
    assert ids("--outcome", "unmatched") == ["a2"]
    assert "  unmatched" in call("events", "ls", "--id", "a2").stdout
    assert ids("--ext", "partitionkey:C-7", "--type-prefix", "order.") == ["a2"]
    assert ids("--type", "order.paid", "--type", "order.created") == ["a2", "a1"]
    assert ids("--code", "5xx", "--subscription", "crm") == ["a1"]
    assert ids("--sink", f"{url}/hook", "-q", "order.CREATED") == ["a1"]
    (dead,) = answer("deliveries", "ls", "--status", "dead", "--code", "5xx", "--source", "/shop")["items"]
    assert dead["eventType"] == "order.created"
    kept = answer(
        "searches", "save", "Died", "--type", "order.created", "--outcome", "failed", "--last", "1h"
    )
    assert kept["query"] == {"type": ["order.created"], "outcome": ["dead", "retrying"], "last": "1h"}
    assert [item["event"]["id"] for item in answer("searches", "run", "Died")["items"]] == ["a1"]
    assert answer("searches", "save", "Died", "--status", "dead", "--subscription", "crm")["id"] == kept["id"]
    assert answer("searches", "run", "Died")["items"] == [dead]
    assert "status=dead" in call("searches", "ls").stdout
    call("searches", "save", "x", "--status", "dead", "--outcome", "dead", code=2)
    call("searches", "save", "x", "--last", "soon", code=5)
    call("searches", "delete", "Died", "--yes")
    call("searches", "run", "Died", code=3)

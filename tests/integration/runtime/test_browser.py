"""Every kind of answer tells browsers what they may do with it, from one list; behind TLS that there is no other way."""

import asyncio
import re
import socket
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.runtime import registry
from shared.runtime.aws.http import Endpoint
from shared.runtime.browser import ANSWERS, FEATURES, TRANSPORT, files, transport, transport_headers
from shared.runtime.console import hosting
from shared.runtime.nginx import configuration
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.aws.test_http import Context, a_loop, request
from tests.support.served import Served

__all__ = ["a_loop"]

ROOT = Path(__file__).resolve().parents[3]
ALWAYS = {
    "content-security-policy",
    "x-content-type-options",
    "referrer-policy",
    "permissions-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "cache-control",
}
"""What no answer is without."""

PUBLIC = "https://weir.example.com"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("console")
    (folder / "assets").mkdir()
    (folder / "index.html").write_text("<!doctype html><title>Weir</title>")
    (folder / "assets" / "app-4f2a.js").write_text("console.log(1)")
    return folder


def check(headers: httpx.Headers, *, of_console: bool, behind_tls: bool) -> None:
    """Nothing is missing, and nothing is said twice."""
    said = files() if of_console else ANSWERS
    for name in ALWAYS:
        assert len(headers.get_list(name)) == 1, name
        if name in said and name != "cache-control":
            assert headers[name] == said[name], name
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers.get_list(TRANSPORT) == ([transport()] if behind_tls else [])


ASKED = [
    ("GET", "/", 200, True),
    ("GET", "/p/default/events", 200, True),
    ("GET", "/config.json", 200, True),
    ("GET", "/assets/app-4f2a.js", 200, True),
    ("HEAD", "/", 200, True),
    ("GET", "/assets/gone.js", 404, False),
    ("POST", "/", 405, False),
    ("GET", "/healthz", 200, False),
    ("GET", "/readyz", 200, False),
    ("GET", "/metrics", 401, False),
    ("GET", "/openapi.json", 200, False),
    ("GET", "/.well-known/jwks.json", 200, False),
    ("GET", "/v1/me", 401, False),
    ("GET", "/v1/nothing", 404, False),
    ("GET", "/v1/projects/none/events", 401, False),
    ("POST", "/v1/auth/refresh", 401, False),
    ("PATCH", "/v1/me", 405, False),
    ("TRACE", "/v1/me", 405, False),
    ("TRACE", "/", 405, False),
    ("TRACE", "/in/none", 405, False),
    ("POST", "/v1/auth/sign-in", 415, False),
    ("POST", "/in/none", 401, False),
    ("GET", "/in/none", 405, False),
    ("OPTIONS", "/in/none", 404, False),
    ("POST", "/sink/none", 404, False),
]


@pytest.mark.parametrize("public", [PUBLIC, "http://127.0.0.1:8480"])
def test_every_answer_of_a_server(settings: Settings, site: Path, public: str) -> None:
    behind_tls = public == PUBLIC
    environment = {"WEIR_CONSOLE_DIR": str(site), "WEIR_PUBLIC_URL": public}
    with Served(["-m", "shared.runtime.serve", "--all"], settings, **environment) as served:
        assert served.ready().status_code == 200
        with httpx.Client(base_url=served.url, timeout=30) as client:
            for method, path, status, of_console in ASKED:
                answer = client.request(method, path)
                assert answer.status_code == status, (method, path, answer.text)
                check(answer.headers, of_console=of_console, behind_tls=behind_tls)
            page = client.get("/")
            same = client.get("/", headers={"if-none-match": page.headers["etag"]})
            assert same.status_code == 304
            check(same.headers, of_console=True, behind_tls=behind_tls)
        for wrong in (b"no HTTP at all\r\n\r\n", b"GET / HTTP/1.1\r\nx: " + b"y" * 100_000 + b"\r\n\r\n"):
            status, headers = raw(served.url, wrong)
            assert status in {400, 431}
            check(headers, of_console=False, behind_tls=behind_tls)


def raw(url: str, sent: bytes) -> tuple[int, httpx.Headers]:
    """The head of the answer to bytes that no client would send."""
    address = httpx.URL(url)
    with socket.create_connection((address.host, address.port), timeout=10) as connection:
        connection.sendall(sent)
        text = b""
        while b"\r\n\r\n" not in text and (part := connection.recv(65536)):
            text += part
    first, *lines = text.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    return int(first.split()[1]), httpx.Headers([tuple(line.split(": ", 1)) for line in lines])  # type: ignore[misc]


@pytest.mark.parametrize("name", [function.name for function in registry.functions()])
async def test_every_function_by_itself(resources: Resources, name: str) -> None:
    function = registry.find(name)
    module, _, attribute = function.entry.partition(":")
    made = getattr(import_module(module), attribute)(resources)
    if function.is_handler:
        from shared.runtime.handler_app import handler_app

        made = handler_app(function, resources, made)
    transport_ = httpx.ASGITransport(made, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport_, base_url="http://weir") as client:
        for method, path in (
            ("GET", "/nothing"),
            ("GET", "/healthz"),
            ("POST", "/"),
            ("GET", function.routes[0] if function.routes else "/"),
        ):
            answer = await client.request(method, path)
            check(answer.headers, of_console=False, behind_tls=False)


async def hang(*_: Any) -> None:
    await asyncio.sleep(60)


@pytest.mark.parametrize("way", ["gateway_v2", "function_url", "balancer", "balancer_multi"])
def test_every_answer_of_lambda(a_loop: asyncio.AbstractEventLoop, way: str) -> None:
    """Those that no function has made: a host that cannot be read, an answer that is too large, one that is late."""
    telling = transport_headers(PUBLIC, 31_536_000)

    async def large(scope: Any, _receive: Any, send: Any) -> None:
        head = [(name.encode(), value.encode()) for name, value in ANSWERS.items()]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": b"x" * 7_000_000})

    for app, headers, left, status in (
        (large, {"host": "a:b:c"}, 30, 400),
        (large, {}, 30, 413),
        (hang, {}, 0.3, 503),
    ):
        answer = Endpoint(app, headers=telling)(request("GET", "/", headers, by=way), Context(left))
        assert answer["statusCode"] == status
        said = answer.get("headers") or {n: v[0] for n, v in answer["multiValueHeaders"].items()}
        check(httpx.Headers(said), of_console=False, behind_tls=True)


def test_the_edge_says_it_of_what_it_answers_itself() -> None:
    text = configuration(registry.functions())
    answering = [
        part for part in text.split("        location ") if re.search(r"^ +return \d", part, re.MULTILINE)
    ]
    assert len(answering) >= 6
    for location in answering:
        for name in ALWAYS - {"cache-control"} | {TRANSPORT}:
            assert location.count(f"add_header {name} ") == 1, (name, location)
    assert f'https "{transport()}";' in text


@pytest.fixture(scope="module")
def terraform() -> str:
    return "".join(path.read_text() for path in (ROOT / "infra/terraform/modules/cdn").glob("*.tf"))


def test_hosts_of_the_console_say_the_same(terraform: str) -> None:
    wanted: Any = hosting()["headers"]
    assert set(wanted) == ALWAYS - {"cache-control"} | {TRANSPORT}
    page = (ROOT / "docs/operate/console.md").read_text()
    nginx = (ROOT / "infra/edge/nginx.conf").read_text().lower()
    for name, value in wanted.items():
        assert f"`{value}`" in page, name
        assert f'add_header {name} "{value.replace("{api}", "$weir_api").lower()}" always;' in nginx, name
    policy = wanted["content-security-policy"].replace("'self' {api}", "${local.connects_to}")
    assert f'"{policy}"' in terraform
    assert f'"{wanted["permissions-policy"]}"' in terraform
    assert (
        terraform.count("include_subdomains         = true")
        == terraform.count("strict_transport_security {")
        == 2
    )
    for name in ("cross-origin-opener-policy", "cross-origin-resource-policy", "permissions-policy"):
        assert f'"{name}"' in terraform


def test_features_are_named_once_and_the_console_keeps_what_it_needs() -> None:
    assert sorted(set(FEATURES)) == list(FEATURES)
    assert not {"publickey-credentials-get", "publickey-credentials-create", "clipboard-write"} & set(
        FEATURES
    )


def test_who_has_no_tls_is_not_told_to_use_it() -> None:
    assert transport_headers("http://weir.example.com", 10) == []
    assert transport_headers(PUBLIC, 0) == [(TRANSPORT, "max-age=0; includeSubDomains")]

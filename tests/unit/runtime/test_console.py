import mimetypes

import httpx
import pytest

from shared.runtime.console import Console
from shared.runtime.edge import Edge
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Weir</title>")
    (folder / "assets" / "app-4f2a.js").write_text("console.log(1);" * 100)
    (tmp_path / "secret").write_text("nobody's business")
    return folder


@pytest.fixture
async def client(folder):
    transport = httpx.ASGITransport(Console(folder, "1.2.3"))
    async with httpx.AsyncClient(transport=transport, base_url="http://weir") as client:
        yield client


async def test_the_page_is_never_kept(client):
    answer = await client.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]


async def test_every_other_address_is_the_page(client):
    assert (await client.get("/projects/default/events")).text.startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/p/default/types/com.acme.order", 200),
        ("/p/default/types/com.acme%2Forder.js", 200),
        ("/assets/gone.js", 404),
        ("/assets/gone", 404),
    ],
)
async def test_a_page_may_end_like_a_file(folder, path, status):
    settings = Settings(
        database_url="postgres://nobody", redis_url="redis://nobody", secret="x" * 32, console_dir=str(folder)
    )
    edge = Edge(Resources(settings), [], lambda _: pytest.fail("no function is asked"), "1.2.3")
    transport = httpx.ASGITransport(edge)
    async with httpx.AsyncClient(transport=transport, base_url="http://weir") as client:
        assert (await client.get(path)).status_code == status


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("app.js", "text/javascript; charset=utf-8"),
        ("app.css", "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
        ("inter.woff2", "font/woff2"),
        ("logo.png", "image/png"),
        ("readme.unknown", "application/octet-stream"),
    ],
)
async def test_a_file_has_the_same_type_on_every_machine(folder, monkeypatch, name, media_type):
    """The image has no /etc/mime.types."""
    monkeypatch.setattr(mimetypes, "guess_type", lambda _: ("other/type", None))
    (folder / "assets" / name).write_bytes(b"1")
    transport = httpx.ASGITransport(Console(folder, "1.2.3"))
    async with httpx.AsyncClient(transport=transport, base_url="http://weir") as other:
        assert (await other.get(f"/assets/{name}")).headers["content-type"] == media_type


async def test_hashed_files_are_kept_for_ever_and_packed(client, folder):
    answer = await client.get("/assets/app-4f2a.js")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.text == (folder / "assets" / "app-4f2a.js").read_text()
    plain = await client.get("/assets/app-4f2a.js", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers


async def test_what_has_not_changed_is_not_sent_again(client):
    etag = (await client.get("/")).headers["etag"]
    answer = await client.get("/", headers={"if-none-match": f'"other", {etag}'})
    assert (answer.status_code, answer.content) == (304, b"")


async def test_head_has_the_length_and_no_body(client):
    answer = await client.head("/")
    assert answer.content == b""
    assert int(answer.headers["content-length"]) > 0


async def test_the_configuration_names_the_api(client):
    answer = await client.get("/config.json")
    assert answer.json() == {"apiUrl": "", "version": "1.2.3"}
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["/../secret", "/assets/../../secret", "/..%2fsecret", "//etc/passwd", "/%00"]
)
async def test_nothing_outside_the_folder_is_ever_read(folder, path):
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "headers": []}
    await Console(folder, "1")(scope, None, send)
    assert sent[1]["body"] == (folder / "index.html").read_bytes()

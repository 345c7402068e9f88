"""The archive in a bucket: what a store that is compatible with S3 has to do, at moto's server."""

import os
from collections.abc import Iterator
from uuid import UUID, uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from events.housekeep.handler import create
from shared.archive import catalog
from shared.archive.opening import open_store
from shared.archive.reading import fault_of, find
from shared.archive.settings import ArchiveSettings
from shared.archive.store import MissingObject, Store, StoreFailed
from shared.runtime.resources import Resources
from tests.integration.archive.conftest import Keeping, a_day
from tests.support import stream


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of a server that does what S3 does."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket, which the settings name."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)
    name = f"weir-{uuid4().hex}"
    boto3.client("s3", endpoint_url=s3).create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    monkeypatch.setenv("WEIR_ARCHIVE_URL", f"s3://{name}/archive/of weir")
    monkeypatch.setenv("WEIR_ARCHIVE_ENDPOINT", s3)
    return name


@pytest.fixture(params=["bucket", "folder"])
def store(request: pytest.FixtureRequest, bucket: str, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Either kind: what is said of one holds for the other."""
    if request.param == "bucket":
        return open_store()
    return open_store(ArchiveSettings(archive_url=(tmp_path_factory.mktemp("s") / "a b").as_uri()))


async def test_objects_are_kept_read_listed_and_forgotten(store: Store) -> None:
    content = os.urandom(3 * 1024 * 1024)
    await store.put("a/b/one", b"before")
    await store.put("a/b/one", content)
    await store.put("a/b/two", b"2")
    await store.put("a/bc/three", b"3")
    assert await store.get("a/b/one") == content
    assert await store.get_range("a/b/one", 100, 50) == content[100:150]
    assert b"".join([piece async for piece in store.stream("a/b/one")]) == content
    assert await store.keys("a/b/") == ["a/b/one", "a/b/two"]
    await store.delete(["a/b/one", "a/b/none"])
    assert await store.keys("a/b/") == ["a/b/two"]
    assert await store.keys("none/") == []
    await store.delete([])
    with pytest.raises(MissingObject):
        await store.get("a/b/one")
    with pytest.raises(MissingObject):
        await store.get_range("a/b/one", 0, 5)
    with pytest.raises(MissingObject):
        async for _ in store.stream("a/b/one"):
            pass


async def test_a_day_goes_there_and_is_found(keeping: Keeping, resources: Resources, bucket: str) -> None:
    day = a_day()
    uids: list[UUID] = await keeping.store([stream.an_event(n) for n in range(5)], day)
    await keeping.keep(7)
    keeping.handler = create(resources)
    await keeping.tick()
    assert await keeping.rows() == set()
    parts = await catalog.parts_of_day(keeping.pool, keeping.project.id, day)
    assert [await fault_of(open_store(), part) for part in parts] == [None]
    line = await find(open_store(), parts, uids[2])
    assert line is not None
    assert line.uid == uids[2]


async def test_a_bucket_that_is_not_there_takes_nothing_away(
    keeping: Keeping, resources: Resources, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEIR_ARCHIVE_URL", "s3://no-such-bucket/x")
    with pytest.raises(StoreFailed, match="no such bucket"):
        await open_store().put("a", b"b")
    day = a_day()
    (uid,) = await keeping.store([stream.an_event()], day)
    await keeping.keep(7)
    keeping.handler = create(resources)
    await keeping.tick()
    assert await keeping.rows() == {uid}


@pytest.mark.parametrize(
    "url", ["https://example.com/x", "s3:///x", "file://host/x", "archive", "s3://b/x?y=1"]
)
def test_an_address_that_names_no_archive_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="WEIR_ARCHIVE_URL"):
        ArchiveSettings(archive_url=url)

"""What the API server says becomes what a deploy looks at; and what of it is garbage."""

from cli.deploy import cluster, live, names
from cli.deploy.deployment import failing_since
from cli.deploy.live import Live, Revision, Service, Share


def service(**changes: object) -> Service:
    values = {
        "name": "ingest",
        "traffic": (Share("a", 100),),
        "pinned": True,
        "template": "a",
        "current": True,
    }
    return Service(**(values | changes))  # type: ignore[arg-type]


def revision(name: str, schema: str | None = None, created: str = "") -> Revision:
    return Revision(name, "ingest", ready=True, schema=schema, created=created)


def test_traffic_that_follows_the_latest_is_that_of_the_latest_that_is_ready() -> None:
    document = {
        "metadata": {"name": "ingest", "generation": 2},
        "spec": {"traffic": [{"latestRevision": True, "percent": 100}]},
        "status": {
            "latestReadyRevisionName": "ingest-00001",
            "observedGeneration": 1,
            "conditions": [{"type": "RoutesReady", "status": "True"}],
            "traffic": [{"tag": "green", "url": "http://green-ingest", "revisionName": "x", "percent": 0}],
        },
    }
    (found,) = live.read([document], []).services.values()
    assert found.serving == (Share("ingest-00001", 100),)
    assert not found.pinned
    assert not found.current
    assert found.tags == {"green": "http://green-ingest"}


def test_the_oldest_code_that_serves_says_what_the_schema_must_keep() -> None:
    both = service(traffic=(Share("a", 50), Share("b", 50)))
    known = Live({"ingest": both}, {"a": revision("a", "0006"), "b": revision("b", "0007")})
    assert known.running() == "0006"
    assert Live({"ingest": both}, {"a": revision("a", "0006"), "b": revision("b")}).running() is None
    assert Live({}, {}).running() is None


def test_only_old_revisions_that_nothing_goes_back_to_are_garbage() -> None:
    names_by_age = [f"r{n}" for n in range(9)]
    revisions = {name: revision(name, created=name) for name in names_by_age}
    serving = service(traffic=(Share("r8", 100),), template="r8", green="r8", blue=(Share("r0", 100),))
    assert cluster.garbage(Live({"ingest": serving}, revisions)) == ["r1", "r2", "r3", "r4"]


def test_the_last_line_of_a_log_that_is_an_object_is_what_a_migration_says() -> None:
    assert cluster.last_json('starting\n{"at": "1", "head": "2", "waiting": ["2"]}\n')["waiting"] == ["2"]
    assert cluster.last_json("nothing of that kind") == {}


def test_annotations_are_read_as_they_were_written() -> None:
    notes = {
        names.RELEASE: "r",
        names.PHASE: "promoted",
        names.BEFORE: '[["ingest-1", 100]]',
        names.WAITING: "0007,0008",
    }
    document = {"metadata": {"name": "ingest", "annotations": notes}, "spec": {}}
    (found,) = live.read([document], []).services.values()
    assert found.blue == (Share("ingest-1", 100),)
    assert found.waiting == ("0007", "0008")


def test_a_revision_fails_only_while_it_says_so_without_a_break() -> None:
    def found(ready: bool | None) -> dict[str, Revision]:
        return {"a": Revision("a", "ingest", ready=ready)}

    failing = failing_since({}, found(False), ["a"], 1.0)
    assert failing == {"a": 1.0}
    assert failing_since(failing, found(False), ["a"], 9.0) == {"a": 1.0}
    assert failing_since(failing, found(None), ["a"], 9.0) == {}
    assert failing_since(failing, found(True), [], 9.0) == {}
    assert failing_since({}, {}, ["a"], 1.0) == {}

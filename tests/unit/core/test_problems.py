"""Problems as RFC 9457 tells them."""

import json

from shared.core.problems import INVALID, KINDS, NOT_FOUND, TYPE_BASE, Fault, Problem


def test_the_document_has_what_the_public_may_read_and_nothing_else() -> None:
    problem = Problem(NOT_FOUND, "There is no event 5.", internal="row 7 of shard 3", headers={"X-A": "b"})
    assert problem.body() == {
        "type": f"{TYPE_BASE}not-found",
        "title": "Not found",
        "status": 404,
        "detail": "There is no event 5.",
    }
    assert "row 7 of shard 3" in str(problem)
    assert problem.headers == {"X-A": "b"}


def test_faults_are_listed_with_their_pointers() -> None:
    problem = Problem(INVALID, "Bad.", errors=[Fault("/delivery/retry", "must be a whole number")])
    assert problem.body()["errors"] == [{"pointer": "/delivery/retry", "detail": "must be a whole number"}]


def test_a_document_that_quotes_half_a_surrogate_pair_can_be_written() -> None:
    body = Problem(INVALID, "\ud800 ü", errors=[Fault("/\udfff", "\udfff")]).body()
    assert json.dumps(body, ensure_ascii=False).encode()
    assert body["detail"] == r"\ud800 ü"


def test_every_kind_has_its_own_page_and_an_error_status() -> None:
    assert len({kind.slug for kind in KINDS}) == len(KINDS)
    assert all(400 <= kind.status < 600 for kind in KINDS)

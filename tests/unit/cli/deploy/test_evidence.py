"""What counters say of a version."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.deploy.evidence import Counts, Limits, collect, judge, parse, since
from shared.runtime.metrics import Registry


def counted(*requests: tuple[str, str, float]) -> str:
    """What a process shows after these requests: function, status, seconds."""
    registry = Registry()
    metric = registry.histogram(
        "weir_http_request_duration_seconds", "Time to answer a request.", ("function", "method", "status")
    )
    for function, status, seconds in requests:
        metric.observe(function, "POST", status, value=seconds)
    registry.counter("weir_other_total", "Something else.", ("function",)).add("ingest")
    return registry.render()


def test_requests_are_read_as_a_process_shows_them() -> None:
    found = parse(counted(("ingest", "202", 0.004), ("ingest", "503", 0.2), ("explore", "200", 99.0)))
    assert found["ingest"].requests == 2
    assert found["ingest"].errors == 1
    assert found["ingest"].buckets[0.005] == 1
    assert found["ingest"].buckets[float("inf")] == 2
    assert found["explore"].buckets[30.0] == 0


def test_what_came_between_two_looks() -> None:
    first = parse(counted(("ingest", "500", 0.1)))
    later = parse(counted(("ingest", "500", 0.1), ("ingest", "202", 0.1), ("explore", "200", 0.1)))
    between = since(later, first)
    assert (between["ingest"].requests, between["ingest"].errors) == (1, 0)
    assert between["explore"].requests == 1


def test_a_process_that_began_anew_is_counted_from_its_beginning() -> None:
    first = parse(counted(*[("ingest", "202", 0.1)] * 9))
    later = parse(counted(("ingest", "500", 0.1)))
    assert since(later, first)["ingest"].errors == 1


def verdict(*requests: tuple[str, str, float], **limits: float) -> list[str]:
    return judge(parse(counted(*requests)), Limits(**limits))  # type: ignore[arg-type]


def test_errors_count_by_their_share_and_not_below_three() -> None:
    good = [("ingest", "202", 0.01)] * 97
    assert verdict(*good, *[("ingest", "500", 0.01)] * 2) == []
    assert verdict(("ingest", "500", 0.01), ("ingest", "500", 0.01)) == []
    (fault,) = verdict(*good, *[("ingest", "500", 0.01)] * 3)
    assert fault == "ingest: 3 of 100 requests failed (3.0%; 1.0% is allowed)"
    assert verdict(*good, *[("ingest", "500", 0.01)] * 3, max_error_rate=0.05) == []


def test_one_function_does_not_hide_behind_another() -> None:
    (fault,) = verdict(*[("ingest", "202", 0.01)] * 5000, *[("explore", "500", 0.01)] * 3)
    assert fault.startswith("explore")


def test_what_clients_did_wrong_is_no_fault_of_the_version() -> None:
    assert verdict(*[("ingest", "404", 0.01)] * 100) == []


def test_latency_counts_once_there_are_enough_requests() -> None:
    assert verdict(*[("ingest", "202", 4.0)] * 19) == []
    (fault,) = verdict(*[("ingest", "202", 4.0)] * 20)
    assert "95 % of 20 requests took up to" in fault
    assert verdict(*[("ingest", "202", 0.3)] * 95, *[("ingest", "202", 9.0)] * 5) == []


def test_of_handlers_only_errors_count() -> None:
    window = parse(counted(*[("dispatch", "202", 20.0)] * 50))
    assert judge(window, Limits(), held_open=["dispatch"]) == []
    assert judge(window, Limits()) != []


def test_restarts_count() -> None:
    assert judge({}, Limits(), restarts={"ingest-1": 0}) == []
    (fault,) = judge({}, Limits(), restarts={"ingest-1": 2})
    assert "started again 2 times" in fault


@given(st.lists(st.floats(0.0005, 40), min_size=20, max_size=80))
def test_a_quantile_lies_in_the_bucket_of_the_value_that_it_stands_for(seconds: list[float]) -> None:
    (counts,) = parse(counted(*[("ingest", "202", s) for s in seconds])).values()
    found = counts.quantile(0.95)
    assert found is not None
    rank = 0.95 * len(seconds)
    finite = [b for b in sorted(counts.buckets) if b != float("inf")]
    upper = next((b for b in finite if counts.buckets[b] >= rank), None)
    if upper is None:
        assert found == pytest.approx(finite[-1])
    else:
        lower = max([b for b in finite if b < upper], default=0.0)
        assert lower <= found <= upper


def test_nothing_says_nothing() -> None:
    assert Counts().quantile(0.95) is None
    assert parse("") == {}
    assert collect([]) == {}

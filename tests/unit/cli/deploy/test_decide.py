"""A deploy that is interrupted anywhere, and begun again, ends as one that was not."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.deploy import decide
from cli.deploy.decide import Kind, Seen
from tests.unit.cli.deploy.manifests import FUNCTIONS, rendered
from tests.unit.cli.deploy.model import Deploys, Killed, Model

LIVES = st.lists(st.integers(0, 16), max_size=5)


def installed(**more: Any) -> Model:
    """A cluster where version 1 serves, deployed by an earlier deploy."""
    model = Model(**more)
    assert Deploys(model, rendered("weir:1")).deploy().kind is Kind.DONE
    return model


def applied() -> Model:
    """A cluster that `kubectl apply -k` was used on: revisions that Knative named, nothing pinned."""
    model = Model()
    for document in rendered("weir:1"):
        if document and document["apiVersion"].startswith("serving"):
            model.apply(document)
    model.settle()
    return model


def all_on(model: Model, deploys: Deploys) -> bool:
    return model.gateway == {name: {revision: 100} for name, revision in deploys.release.wanted.items()}


def interrupted(deploys: Deploys, lives: list[int]) -> None:
    for life in lives:
        try:
            deploys.deploy(life)
        except Killed:
            continue


@pytest.mark.parametrize("begin", [installed, applied])
def test_a_deploy_promotes_everything_and_settles(begin) -> None:
    model = begin()
    deploys = Deploys(model, rendered("weir:2"), waiting=("0007",))
    assert deploys.deploy().kind is Kind.DONE
    assert all_on(model, deploys)
    assert model.edge == "weir:2"
    now = model.live()
    assert {s.phase for s in now.services.values()} == {"settled"}
    assert {s.waiting for s in now.services.values()} == {("0007",)}
    assert decide.why_not_contract(now) is None
    assert all(s.traffic[0].tag == "" and len(s.traffic) == 1 for s in now.services.values())


@given(lives=LIVES, begin=st.sampled_from([installed, applied, Model]))
def test_interrupted_anywhere_it_ends_the_same_and_nobody_is_sent_to_what_is_not_well(lives, begin) -> None:
    model = begin()
    before = dict(model.gateway)

    def each(_kind: Kind) -> None:
        if not deploys.smoked:
            assert {n: model.gateway[n] for n in before} == before
        if model.edge == "weir:2":
            assert all_on(model, deploys)

    deploys = Deploys(model, rendered("weir:2"), each=each)
    interrupted(deploys, lives)
    assert deploys.deploy().kind is Kind.DONE
    assert all_on(model, deploys)
    assert model.edge == "weir:2"
    assert {(s.phase, s.release) for s in model.live().services.values()} == {("settled", deploys.release.id)}


@given(lives=LIVES, bad=st.sampled_from(["smoke", "watch"]), begin=st.sampled_from([installed, applied]))
def test_what_is_not_well_goes_back_whole_wherever_it_is_interrupted(lives, bad, begin) -> None:
    model = begin()
    before, edge = dict(model.gateway), model.edge
    deploys = Deploys(model, rendered("weir:2"), **{bad: False})
    interrupted(deploys, lives)
    while (step := deploys.deploy()).kind is not Kind.ROLLED_BACK:
        raise AssertionError(step)
    assert model.gateway == before
    assert model.edge == edge
    assert {s.phase for s in model.live().services.values()} == {"rolled-back"}
    again = Deploys(model, rendered("weir:2"))
    assert again.deploy().kind is Kind.DONE
    assert all_on(model, again)


@given(lives=LIVES, back=LIVES)
def test_a_rollback_by_hand_leads_back_from_anywhere(lives, back) -> None:
    model = installed()
    before = dict(model.gateway)
    deploys = Deploys(model, rendered("weir:2"))
    interrupted(deploys, lives)
    begun = any(s.release == deploys.release.id for s in model.live().services.values())
    for life in back:
        try:
            deploys.rollback(life)
        except Killed:
            continue
    deploys.rollback()
    if begun:
        assert model.gateway == before


@given(life=st.integers(1, 14), back=st.integers(1, 2))
def test_a_way_back_that_was_interrupted_is_finished_before_anything_else(life, back) -> None:
    model = installed()
    before = dict(model.gateway)
    deploys = Deploys(model, rendered("weir:2"))
    assert deploys.deploy().kind is Kind.DONE
    with pytest.raises(Killed):
        deploys.rollback(back)
    other = Deploys(model, rendered("weir:3"))
    assert other.deploy().kind is Kind.REFUSE
    interrupted(deploys, [life])
    assert deploys.deploy().kind in {Kind.ROLLED_BACK, Kind.DONE}
    if model.gateway != before:
        assert all_on(model, deploys)


def test_another_deploy_waits_for_one_that_is_promoted_in_part() -> None:
    model = installed()
    first = Deploys(model, rendered("weir:2"))
    kinds: list[Kind] = []
    first._each = kinds.append
    for life in range(1, 30):
        with pytest.raises(Killed):
            first.deploy(life)
        if kinds[-1] is Kind.PROMOTE:
            break
    step = Deploys(model, rendered("weir:3")).deploy()
    assert step.kind is Kind.REFUSE
    assert first.release.id in step.text
    assert first.rollback().kind is Kind.ROLLED_BACK
    assert Deploys(model, rendered("weir:3")).deploy().kind is Kind.DONE


def test_the_edge_follows_when_nothing_can_take_the_functions_back_any_more() -> None:
    model = installed()
    phases = []

    def each(kind: Kind) -> None:
        if kind is Kind.ROLL_OUT:
            phases.extend(s.phase for s in model.live().services.values())

    deploys = Deploys(model, rendered("weir:2"), each=each)
    assert deploys.deploy(hold=True).kind is Kind.HOLD
    assert (model.edge, phases) == ("weir:1", [])
    assert deploys.deploy().kind is Kind.DONE
    assert (model.edge, set(phases)) == ("weir:2", {"settled"})


def test_without_an_edge_there_is_nothing_to_roll_out() -> None:
    kinds: list[Kind] = []
    documents = [d for d in rendered("weir:1") if d is None or d["kind"] != "Deployment"]
    seen = Seen()
    deploys = Deploys(Model(), documents)
    assert deploys.deploy().kind is Kind.DONE
    for _ in range(10):
        step = decide.decide(deploys.release, deploys.model.live(), seen)
        kinds.append(step.kind)
        seen = replace(seen, done=seen.done | {step.kind})
    assert Kind.ROLL_OUT not in kinds
    assert kinds[-1] is Kind.DONE


def test_another_deploy_takes_the_place_of_one_that_is_only_staged() -> None:
    model = installed()
    assert Deploys(model, rendered("weir:2")).deploy(hold=True).kind is Kind.HOLD
    other = Deploys(model, rendered("weir:3"))
    assert other.deploy().kind is Kind.DONE
    assert all_on(model, other)


def test_held_it_stops_before_anybody_is_sent_there_and_goes_on_when_told() -> None:
    model = installed()
    before = dict(model.gateway)
    deploys = Deploys(model, rendered("weir:2"))
    assert deploys.deploy(hold=True).kind is Kind.HOLD
    assert model.gateway == before
    assert all(s.traffic[-1].tag == "green" for s in model.live().services.values())
    assert deploys.deploy().kind is Kind.DONE
    assert all_on(model, deploys)


def test_what_has_not_changed_is_left_alone() -> None:
    model = installed()
    documents = rendered("weir:1")
    for document in documents:
        if document and document["metadata"]["name"] == "ingest" and document["kind"] == "Service":
            document["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "A", "value": "b"}]
    touched: list[str] = []
    model.apply, apply = (lambda d: (touched.append(d["metadata"]["name"]), apply(d))), model.apply
    deploys = Deploys(model, documents)
    assert deploys.deploy().kind is Kind.DONE
    assert touched == ["ingest"]
    assert all_on(model, deploys)
    assert deploys.rollback().kind is Kind.ROLLED_BACK
    assert all_on(model, Deploys(model, rendered("weir:1")))


def test_the_same_again_changes_nothing() -> None:
    model = installed()
    generations = {n: s["metadata"]["generation"] for n, s in model.services.items()}
    assert Deploys(model, rendered("weir:1")).deploy().kind is Kind.DONE
    assert {n: s["metadata"]["generation"] for n, s in model.services.items()} == generations


def test_a_revision_that_fails_never_gets_traffic_and_is_made_anew_when_put_right() -> None:
    broken = {"on"}
    release = Deploys(Model(), rendered("weir:2")).release
    model = installed(is_broken=lambda name: bool(broken) and name == release.wanted["ingest"])
    before = dict(model.gateway)
    deploys = Deploys(model, rendered("weir:2"))
    assert deploys.deploy().kind is Kind.ROLLED_BACK
    assert model.gateway == before
    broken.clear()
    model.revisions[release.wanted["ingest"]]["status"]["conditions"][0]["status"] = "False"
    assert deploys.deploy().kind is Kind.DONE
    assert all_on(model, deploys)


def test_what_served_before_is_what_the_services_ask_for_again_when_it_is_deployed_again() -> None:
    model = installed()
    assert Deploys(model, rendered("weir:2"), smoke=False).deploy().kind is Kind.ROLLED_BACK
    first = Deploys(model, rendered("weir:1"))
    assert {s.template for s in model.live().services.values()} != set(first.release.wanted.values())
    assert first.deploy().kind is Kind.DONE
    assert {s.template for s in model.live().services.values()} == set(first.release.wanted.values())
    assert all_on(model, first)


def test_a_function_that_is_new_comes_with_the_deploy() -> None:
    model = installed()
    deploys = Deploys(model, rendered("weir:2", functions=(*FUNCTIONS, "live")))
    assert deploys.deploy().kind is Kind.DONE
    assert all_on(model, deploys)
    assert deploys.rollback().kind is Kind.ROLLED_BACK
    assert model.gateway["live"] == {deploys.release.wanted["live"]: 100}


def test_nothing_is_contracted_while_the_version_before_is_needed() -> None:
    model = installed()
    deploys = Deploys(model, rendered("weir:2"))
    deploys.deploy(hold=True)
    assert "not settled" in str(decide.why_not_contract(model.live()))
    deploys.deploy()
    assert decide.why_not_contract(model.live()) is None
    deploys.rollback()
    assert "rolled back" in str(decide.why_not_contract(model.live()))


def test_there_is_no_way_back_to_revisions_that_are_gone() -> None:
    model = installed()
    first = dict(model.gateway["ingest"])
    Deploys(model, rendered("weir:2")).deploy()
    del model.revisions[next(iter(first))]
    release = decide.release_to_leave(model.live())
    assert release is not None
    step = decide.decide_rollback(model.live(), release, "by hand")
    assert step.kind is Kind.REFUSE
    assert next(iter(first)) in step.text

"""What holds for the manifests of any function that could be declared."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts.tick import Tick
from shared.runtime.function import Function, Scale, Size
from shared.runtime.knative.manifests import manifests

SCALING = "autoscaling.knative.dev/"

few = settings(max_examples=40)

scales = st.integers(1, 50).flatmap(
    lambda most: st.builds(
        Scale,
        minimum=st.just(0),
        maximum=st.just(most),
        concurrency=st.integers(1, 1000),
        warm=st.integers(0, most),
    )
)
sizes = st.builds(
    lambda cpu, memory, more: Size(
        cpu_millicores=cpu, memory_mebibytes=memory, memory_max_mebibytes=memory + more
    ),
    st.integers(1, 4000),
    st.integers(32, 4096),
    st.integers(0, 4096),
)
kinds = st.lists(st.sampled_from([Tick.TYPE, "dev.weir.wake", "dev.weir.replay.requested"]), unique=True)


@st.composite
def functions(draw):
    on = tuple(draw(kinds))
    return Function(
        name=draw(st.text("abcxyz", min_size=1, max_size=12)),
        summary="",
        entry="",
        routes=() if on else ("/in/{project}",),
        on=on,
        wakes=draw(st.booleans()),
        calls_out=draw(st.booleans()),
        scale=draw(scales),
        size=draw(sizes),
        timeout_seconds=draw(st.integers(1, 600)),
        environment=draw(
            st.dictionaries(st.from_regex(r"WEIR_[A-Z]{1,9}", fullmatch=True), st.text(max_size=9))
        ),
    )


def of(function):
    documents = manifests([function])[f"base/{function.name}.yaml"]
    (service,) = (d for d in documents if d["kind"] == "Service")
    return documents, service, service["spec"]["template"]


@few
@given(functions())
def test_it_is_probed_and_bounded(function):
    _, _, template = of(function)
    spec = template["spec"]
    (container,) = spec["containers"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert "periodSeconds" not in container["readinessProbe"]  # so it is asked many times a second at first
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert (spec["containerConcurrency"], spec["timeoutSeconds"]) == (
        function.scale.concurrency,
        function.timeout_seconds,
    )
    resources = container["resources"]
    assert resources["requests"] == {
        "cpu": f"{function.size.cpu_millicores}m",
        "memory": f"{function.size.memory_mebibytes}Mi",
    }
    assert resources["limits"] == {"memory": f"{function.size.memory_max_mebibytes}Mi"}
    assert container["ports"] == [{"containerPort": 8080}]


@few
@given(functions())
def test_it_has_no_rights(function):
    documents, _, template = of(function)
    spec = template["spec"]
    (container,) = spec["containers"]
    context = container["securityContext"]
    assert context["runAsNonRoot"]
    assert context["readOnlyRootFilesystem"]
    assert context["allowPrivilegeEscalation"] is False
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert "runAsUser" not in context  # any user will do
    assert spec["automountServiceAccountToken"] is False
    (account,) = (d for d in documents if d["kind"] == "ServiceAccount")
    assert spec["serviceAccountName"] == account["metadata"]["name"] == function.name
    assert account["automountServiceAccountToken"] is False
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/tmp"]


@few
@given(functions())
def test_it_rests_at_zero_unless_somebody_pays_for_more(function):
    _, _, template = of(function)
    annotations = template["metadata"]["annotations"]
    assert annotations[f"{SCALING}min-scale"] == "0"
    assert annotations[f"{SCALING}max-scale"] == str(function.scale.maximum)
    assert (f"{SCALING}window" in annotations) == (Tick.TYPE in function.on)
    kept = manifests([function]).get(f"components/high-availability/{function.name}.yaml")
    assert (kept is None) == (function.scale.warm == 0)
    if kept:
        patched = kept[0]["spec"]["template"]["metadata"]["annotations"]
        assert patched == {f"{SCALING}min-scale": str(function.scale.warm)}


@few
@given(functions())
def test_it_is_woken_by_what_it_handles_and_by_nothing_else(function):
    documents, service, _ = of(function)
    triggers = [d["spec"]["filter"]["attributes"]["type"] for d in documents if d["kind"] == "Trigger"]
    pings = [d for d in documents if d["kind"] == "PingSource"]
    assert sorted(triggers) == sorted(set(function.on) - {Tick.TYPE})
    assert len(pings) == (Tick.TYPE in function.on)
    inside = service["metadata"]["labels"].get("networking.knative.dev/visibility")
    assert inside == ("cluster-local" if function.is_handler else None)
    for trigger in (d for d in documents if d["kind"] == "Trigger"):
        # A shorter one would have the broker repeat a wake that is still being worked on.
        assert trigger["spec"]["delivery"]["timeout"] == f"PT{function.timeout_seconds}S"


@few
@given(functions())
def test_a_node_can_be_drained(function):
    documents, _, _ = of(function)
    budgets = [d["spec"] for d in documents if d["kind"] == "PodDisruptionBudget"]
    assert len(budgets) == (function.scale.maximum > 1)
    assert all(budget["maxUnavailable"] == 1 for budget in budgets)


@few
@given(st.lists(functions(), max_size=3, unique_by=lambda f: f.name))
def test_paths_are_open_for_who_declares_them(some):
    policies = {
        p["metadata"]["name"]: p["spec"] for p in manifests(some)["components/network-policies/policies.yaml"]
    }
    for name, declared in (("sinks", "calls_out"), ("wakes", "wakes")):
        (expression,) = policies[name]["podSelector"]["matchExpressions"]
        assert expression["operator"] == "In"
        assert expression["values"] == sorted(f.name for f in some if getattr(f, declared))
    assert policies["deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


@few
@given(st.lists(functions(), max_size=3, unique_by=lambda f: f.name))
def test_names_are_unique_and_the_same_each_time(some):
    made = manifests(some)
    assert made == manifests(some)
    named = [
        (d["apiVersion"], d["kind"], d["metadata"]["name"])
        for path, documents in made.items()
        if path.startswith("base/") and not path.endswith(("kustomization.yaml", "references.yaml"))
        for d in documents
    ]
    assert len(named) == len(set(named))


@pytest.mark.parametrize("name", ["broker", "migrate", "kustomization"])
def test_a_name_that_is_taken_is_refused(name):
    function = Function(name=name, summary="", entry="", routes=("/",))
    with pytest.raises(ValueError, match=f"'{name}' is taken"):
        manifests([function])

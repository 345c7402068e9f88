"""The sink that whoever runs Weir has put into its environment (Knative's SinkBinding, specs/sources.md)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from shared.core.delivery import InvalidPolicy, check_sink
from shared.core.overrides import override_faults
from shared.runtime.environment import FromEnvironment


class BindingSettings(FromEnvironment):
    """`bound_sink` says whether deliveries may go to K_SINK.

    They may not where K_SINK is Weir's own broker: who may subscribe could send it hints and orders of Weir's.
    """

    bound_sink: bool = True


@dataclass(frozen=True, slots=True)
class Binding:
    """Where `env:K_SINK` leads, what is set on each event on its way there, and whom to trust (PEM).

    `fault` says why nothing can be sent there; then the rest is empty.
    """

    url: str = ""
    extensions: tuple[tuple[str, str], ...] = ()
    ca: str | None = None
    fault: str | None = None


def read_binding(environment: Mapping[str, str], *, allowed: bool = True) -> Binding:
    """What `K_SINK`, `K_CE_OVERRIDES` and `K_CA_CERTS` say. The last two may be absent or empty."""
    if not allowed:
        return Binding(
            fault="deliveries to env:K_SINK are switched off where dispatch runs (WEIR_BOUND_SINK)"
        )
    url = environment.get("K_SINK", "")
    if not url:
        return Binding(fault="the sink is env:K_SINK, and K_SINK is not set where dispatch runs")
    try:
        check_sink(url, "")
    except InvalidPolicy as error:
        return Binding(fault=f"K_SINK, where dispatch runs, {error.detail}")
    text = environment.get("K_CE_OVERRIDES", "")
    try:
        overrides = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError):
        return Binding(fault="K_CE_OVERRIDES, where dispatch runs, is not JSON")
    if faults := override_faults(overrides):
        return Binding(fault=f"K_CE_OVERRIDES, where dispatch runs, {faults[0].pointer} {faults[0].detail}")
    extensions = tuple((overrides.get("extensions") or {}).items())
    return Binding(url, extensions, environment.get("K_CA_CERTS") or None)

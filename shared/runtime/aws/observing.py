"""What Powertools does for a function: log lines that say which call they belong to, metrics, traces."""

import logging
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import MetricUnit
from mangum.types import LambdaContext

from shared.runtime.log import fields

if TYPE_CHECKING:
    from aws_lambda_powertools import Tracer

NAMESPACE = "Weir"
TRACE = "_X_AMZN_TRACE_ID"
"""Where Lambda says which trace a call belongs to, and whether it is one that X-Ray keeps (`Sampled=1`)."""

KEYS = ("function", "requestId", "correlationId", "traceId", "coldStart")


class Lines(LambdaPowertoolsFormatter):
    """The lines of `shared.runtime.log`, and in each what is known of the call."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of `record`."""
        known = self.get_current_keys()
        call = {key: known[key] for key in KEYS if known.get(key) is not None}
        return msgspec.json.encode({**fields(record, self), **call}).decode()


class Observer:
    """Logger, metrics and tracer of one function in one sandbox.

    Metrics are few, since API Gateway and Lambda count calls, errors and times by themselves: `ColdStart`; of
    handlers `Events`, `Failures` (they come again), `Unreadable` (they do not), `HandedOver`; of endpoint functions
    `Failures`, their answers with 5xx.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        handler = logging.StreamHandler(sys.stderr)
        level = os.environ.get("WEIR_LOG_LEVEL", "INFO").upper()
        self._logger = Logger("weir", level=level, logger_handler=handler)
        handler.setFormatter(Lines())  # it has given it one of its own
        logging.basicConfig(level=level, handlers=[handler], force=True)
        ours = logging.getLogger("weir")
        ours.handlers[:] = [handler]
        ours.propagate = False  # or the root's would write the same again
        logging.getLogger("mangum").setLevel(logging.WARNING)
        namespace = os.environ.get("POWERTOOLS_METRICS_NAMESPACE", NAMESPACE)
        self._metrics = Metrics(namespace=namespace, service=name)
        self._cold = True
        self._tracer: Tracer | None = None

    def count(self, metric: str) -> None:
        """One more of `metric`."""
        self._metrics.add_metric(metric, MetricUnit.Count, 1)

    def observe(self, call: Callable[..., Any], event: Any, context: LambdaContext) -> Any:
        """What `call` returns to an invocation; raises what it raises."""
        self._logger.append_keys(
            function=self._name,
            requestId=context.aws_request_id,
            correlationId=correlation_of(event),
            traceId=os.environ.get(TRACE, "").partition(";")[0].removeprefix("Root=") or None,
            coldStart=self._cold,
        )
        if self._cold:
            self._cold = False
            self.count("ColdStart")
        try:
            return self._trace(call)(event, context)
        finally:
            if self._metrics.metric_set:
                self._metrics.flush_metrics()

    def _trace(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """`call` as a part of its trace, where there is one that is kept: X-Ray's library is large."""
        if "Sampled=1" not in os.environ.get(TRACE, ""):
            return call
        if self._tracer is None:
            from aws_lambda_powertools import Tracer

            self._tracer = Tracer(service=self._name, auto_patch=False)

        def handle(event: Any, context: LambdaContext) -> Any:
            return call(event, context)

        handle.__name__ = self._name
        # Anew for each call: a sandbox that starts afresh has another.
        return self._tracer.capture_lambda_handler(handle, capture_response=False)


def correlation_of(event: Any) -> str | None:
    """What ties a call to who made it: API Gateway's id of a request, the load balancer's trace, an event's id."""
    if not isinstance(event, dict):
        return None
    asked = event.get("requestContext")
    if isinstance(asked, dict):
        headers = event.get("headers") or {}
        return asked.get("requestId") or headers.get("x-amzn-trace-id")
    found = event.get("id")
    return found if isinstance(found, str) else None

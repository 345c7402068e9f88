"""What a process counts of its requests, and where others put what they count."""

from shared.core.metrics import CONTENT_TYPE, METRICS, SECONDS, Counter, Gauge, Histogram, Registry

__all__ = ["CONTENT_TYPE", "METRICS", "REQUESTS", "SECONDS", "Counter", "Gauge", "Histogram", "Registry"]

REQUESTS = METRICS.histogram(
    "weir_http_request_duration_seconds", "Time to answer a request.", ("function", "method", "status")
)

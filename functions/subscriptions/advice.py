"""What the owner of a sink can do about a test that failed."""

from shared.core.retry import Outcome

_BY_ERROR = (
    # Before all else: it goes on with what hindered the token, which is said of sinks below.
    (
        "no token from",
        "Look at `auth`: whether the address of the token endpoint is right and lets Weir in, the client and its secret.",
    ),
    ("cannot be resolved", "Correct the host name of the sink, or its DNS."),
    (
        "is not public and not allowed",
        "Use a public address, or let whoever runs Weir add its network to WEIR_SINK_ALLOW.",
    ),
    ("the transform", "Correct the transform; it can be tried on an event without sending it."),
    ("certificates cannot be used", "Give the certificate and its key again in `tls`."),
    (
        "the certificate is not valid",
        "Renew the sink's certificate, name the host it is for, or trust its authority in `tls.ca`.",
    ),
    (
        "no TLS",
        "The port does not speak TLS, or no version in common: see whether the sink is http, not https.",
    ),
    ("no answer within", "Let the sink answer earlier and work later, or raise `delivery.timeout`."),
    ("no connection", "See that the sink runs, listens on that port and lets Weir in."),
    ("the connection was", "The sink, or a proxy before it, hung up: look into its log."),
    ("K_SINK", "Send an event that the subscription matches, and look at its delivery."),
    ("cannot be used", "Save the subscription again with what is missing."),
)

_BY_STATUS = {
    400: "The sink does not understand the request: look at its answer, and whether it wants `delivery.format` json or binary.",
    401: "The sink does not accept the credential: give it again in `auth`, or check the signing secret.",
    403: "The sink knows who is asking and refuses: look at what the credential may do, and at its firewall.",
    404: "Correct the path of the sink's address.",
    405: "The sink does not take POST at this address: correct its path.",
    408: "The sink gave up waiting for the request: look into its log.",
    409: "The sink says that it conflicts with what it has: look at its answer.",
    410: "The sink says that it is gone. A delivery that is answered so disables the subscription.",
    413: "The event is too large for the sink: lower `delivery.batchSize`, or send less by a transform.",
    415: "The sink does not take this media type: change `delivery.format`.",
    422: "The sink understands the request but not what it says: look at its answer.",
    429: "The sink gets too much: lower `delivery.ratePerSecond` or `delivery.maxInFlight`, and try again later.",
    503: "The sink is overloaded or down for now: try again later.",
}


def advice(outcome: Outcome, *, seconds: float | None = None) -> str | None:
    """What to do next, in a sentence or two; None when nothing is to be done.

    `seconds` is how long a delivery waits where that is more than the test did.
    """
    code, error = outcome.status_code, outcome.error or ""
    if outcome.verdict == "cancelled":
        return "The transform leaves this event out. Try one that it lets through."
    if seconds is not None and error.startswith("no answer within"):
        return f"A delivery waits {seconds:g} s, longer than a test: see what becomes of one, or let the sink answer earlier."
    if code is None or outcome.verdict is not None:
        found = next((words for sign, words in _BY_ERROR if sign in error), None)
        return found or "Look at what is said above, and at the sink's log."
    if 200 <= code < 300:
        return None
    if 300 <= code < 400:
        return "Make the address it points to the sink: redirects are not followed."
    if code in _BY_STATUS:
        return _BY_STATUS[code]
    return "The sink failed: look into its log." if code >= 500 else "Look at what the sink answered."

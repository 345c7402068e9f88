"""The words that a deploy leaves on objects of the cluster."""

from typing import Literal

GREEN = "green"
"""Tag of the revision that a deploy brings."""

BLUE = "blue"
"""Tag of the revision that served before, while what was promoted is watched."""

RELEASE = "weir.dev/release"
PHASE = "weir.dev/phase"
WANTED = "weir.dev/green"
BEFORE = "weir.dev/blue"
REASON = "weir.dev/reason"
WAITING = "weir.dev/contracts-waiting"
SCHEMA = "weir.dev/schema"
"""On a revision: the last migration that its code brought."""

PART_OF = "app.kubernetes.io/part-of=weir"
EDGE = "app.kubernetes.io/component=edge"
WAKES = "weir.dev/wakes"
SERVICE_OF = "serving.knative.dev/service"
REVISION_OF = "serving.knative.dev/revision"
LOCAL = "networking.knative.dev/visibility"

Phase = Literal["", "staged", "promoted", "settled", "rolled-back"]

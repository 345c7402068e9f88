"""Blue-green on Knative: `weir deploy`.

A deploy is a pipeline. Each stage takes plain data and gives plain data; only the last one touches a cluster.

`rendered`
    What Kustomize makes of an overlay, and an image, become a `Release`: the Services, each with the name of the
    revision that it asks for (a digest of all that is in it, so the same input gives the same name), what must be
    there before them, what sends them events afterwards, the edge that comes last, and the Job that migrates.

`live`
    What the API server says of Services and Revisions becomes `Live`: who has traffic, what is staged, what went
    before. All state is in the cluster: the traffic itself, and four annotations beside it on each Service.

`decide`
    Release and Live become the next `Step`, and only that. Nothing is remembered between two steps but what this
    process has itself seen to be good (smoke, watch); so a deploy that was interrupted anywhere is the same deploy
    begun again, and finds by looking where it was.

`patches`
    A step becomes the changes of objects that it consists of, each one harmless alone: pin, tag, promote, settle,
    restore.

`evidence`
    Counters of requests become a verdict: is what was promoted well?

`deployment`
    The loop: look, decide, do; until a step says that it is the end. What does things is at the rim: `kubernetes`
    (the API through `kubectl proxy`), `lease` (one deploy at a time), `jobs`, `smoke`, `watch`, `edge`. What is said on the
    command line and shown there is in `arguments` and `tables`.

The way of a Service, as its annotation `weir.dev/phase` tells it:

    (as it was) ──pin──▶ staged ──promote──▶ promoted ──settle──▶ settled
                           │ smoke fails         │ watch fails        │ weir deploy rollback
                           └────────restore──────┴────────────────────┴──▶ rolled-back
"""

"""The Job that brings the database to the schema of its image.

As far as the version before can bear it (`--phase expand`): that one serves until the next is ready.
"""

from shared.runtime.function import Size
from shared.runtime.knative.manifest import COMPONENT, PART_OF, SETTINGS, Manifest, metadata, service_account
from shared.runtime.knative.pods import container, volumes

NAME = "migrate"

NAMED_BY_CONTENT = {"internal.config.kubernetes.io/needsHashSuffix": "enabled"}
"""Has Kustomize add a digest of the Job to its name, as it does for a generated ConfigMap.

A Job cannot be changed. So another image is another Job, which `kubectl apply -k` makes and runs, and the same
image is the same Job, which it leaves alone. It is the mark of Kustomize's own generators, and gone in what it writes.
"""

DAY_SECONDS = 86_400


def migration() -> list[Manifest]:
    """The Job and its identity. It knows the database and nothing else."""
    labels = {COMPONENT: "migration"}
    database = {"secretKeyRef": {"name": SETTINGS, "key": "WEIR_DATABASE_URL"}}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {**metadata(NAME, labels), "annotations": NAMED_BY_CONTENT},
        "spec": {
            # The database may come up later than this; when it has, a repeated migration does nothing.
            "backoffLimit": 10,
            "ttlSecondsAfterFinished": DAY_SECONDS,
            "template": {
                "metadata": {"labels": {**PART_OF, **labels}},
                "spec": {
                    "serviceAccountName": NAME,
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "restartPolicy": "Never",
                    "containers": [
                        {
                            **container(Size()),
                            "command": ["python", "-m", "shared.db.migrate", "--phase", "expand"],
                            "env": [{"name": "WEIR_DATABASE_URL", "valueFrom": database}],
                        }
                    ],
                    "volumes": volumes(),
                },
            },
        },
    }
    return [service_account(NAME), job]

"""What runs in a pod, the same for every function and for the migration: no rights, no root, nothing written."""

from shared.runtime.function import Size
from shared.runtime.knative.manifest import Manifest

IMAGE = "weir"
"""What overlays replace by the real name: `images: [{name: weir, newName: …, newTag: …}]`."""


def container(size: Size) -> Manifest:
    """The container, without what it is to do."""
    return {
        "name": "weir",
        "image": IMAGE,
        "resources": {
            "requests": {"cpu": f"{size.cpu_millicores}m", "memory": f"{size.memory_mebibytes}Mi"},
            "limits": {"memory": f"{size.memory_max_mebibytes}Mi"},
        },
        "securityContext": restricted(),
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 a mount of the pod's own
    }


def restricted() -> Manifest:
    """What no container may do, as the pod security standard of that name has it, and write to its root besides."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def volumes() -> list[Manifest]:
    """The only place that can be written to."""
    return [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}]

"""The lines for Docker and Kubernetes that cure what was found."""

from __future__ import annotations

SHARED_MEMORY = {
    "docker": "docker run --shm-size=2g ...      # in a Compose file: shm_size: 2gb",
    "kubernetes": (
        "volumeMounts:\n"
        "  - {name: shm, mountPath: /dev/shm}\n"
        "volumes:\n"
        "  - {name: shm, emptyDir: {medium: Memory, sizeLimit: 2Gi}}"
    ),
}

MEMORY = {
    "docker": "docker run --memory=8g ...        # in a Compose file: mem_limit: 8g",
    "kubernetes": "resources:\n  limits: {memory: 8Gi}",
}

KEY = {
    "docker": "docker run -e DASH_BRAIN_KEY ...  # in a Compose file: environment: [DASH_BRAIN_KEY]",
    "kubernetes": (
        "env:\n  - name: DASH_BRAIN_KEY\n    valueFrom: {secretKeyRef: {name: dash-brain, key: key}}"
    ),
}

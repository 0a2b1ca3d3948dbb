"""Events in the words of the kubelet (v1.36) and containerd."""

from __future__ import annotations

from dataclasses import dataclass

from deployments.embedded.workloads.containers.probing import Outcome
from deployments.embedded.workloads.containers.specs import LIVENESS, READINESS, STARTUP, Probe
from deployments.embedded.workloads.containers.table import Happening, What
from deployments.embedded.workloads.manifests import LIVE_PATH, PORT, READY_PATH, STARTED_PATH

PROBE_NAMES = {STARTUP: "Startup", READINESS: "Readiness", LIVENESS: "Liveness"}
_PATHS = {STARTUP: STARTED_PATH, READINESS: READY_PATH, LIVENESS: LIVE_PATH}
_IMAGE_BYTES = 48_200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What a message names: pod, namespace, uid, container, image and address of the pod."""

    pod: str
    namespace: str
    uid: str
    container: str
    image: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event about a pod: type is Normal or Warning; `container` where it is about one of several."""

    type: str
    reason: str
    message: str
    container: str = ""


def events_of(
    happening: Happening, names: Names, *, probe: Probe | None = None
) -> tuple[Event, ...]:
    """Return the events that a kubelet writes of one happening, in their order; often none.

    Args:
        happening: What happened.
        names: Of the pod.
        probe: As the pod has it, where the happening is one; for its page and its port.
    """
    what = happening.what
    if what is What.UNHEALTHY:
        return (_unhealthy(happening, names, probe),)
    if what is What.KILLING:
        which = PROBE_NAMES[happening.probe].lower()
        text = f"Container {names.container} failed {which} probe, will be restarted"
        return (Event(type="Normal", reason="Killing", message=text),)
    if what is What.START_FAILED:
        error = f"Error: {start_error(happening.detail)}"
        return (Event(type="Warning", reason="Failed", message=error),)
    if what is What.CONFIG_FAILED:
        return (Event(type="Warning", reason="Failed", message=f"Error: {happening.detail}"),)
    return tuple(
        Event(type=kind, reason=reason, message=text.format(n=names, bytes=_IMAGE_BYTES))
        for kind, reason, text in _PLAIN.get(what, ())
    )


_PULL_ERROR = (
    "rpc error: code = NotFound desc = failed to pull and unpack image "
    '"{n.image}": failed to resolve reference "{n.image}": {n.image}: not found'
)
_PLAIN: dict[What, tuple[tuple[str, str, str], ...]] = {
    What.PULLING: (("Normal", "Pulling", 'Pulling image "{n.image}"'),),
    What.PULLED: (
        (
            "Normal",
            "Pulled",
            'Successfully pulled image "{n.image}" in 1s (1s including waiting). '
            "Image size: {bytes} bytes.",
        ),
    ),
    What.PRESENT: (("Normal", "Pulled", 'Container image "{n.image}" already present on machine'),),
    What.PULL_FAILED: (
        ("Warning", "Failed", 'Failed to pull image "{n.image}": ' + _PULL_ERROR),
        ("Warning", "Failed", "Error: ErrImagePull"),
    ),
    What.PULL_BACK_OFF: (
        ("Normal", "BackOff", 'Back-off pulling image "{n.image}"'),
        ("Warning", "Failed", "Error: ImagePullBackOff"),
    ),
    What.CREATED: (("Normal", "Created", "Created container: {n.container}"),),
    What.STARTED: (("Normal", "Started", "Started container {n.container}"),),
    What.STOPPING: (("Normal", "Killing", "Stopping container {n.container}"),),
    What.BACK_OFF: (
        (
            "Warning",
            "BackOff",
            "Back-off restarting failed container {n.container} in pod "
            "{n.pod}_{n.namespace}({n.uid})",
        ),
    ),
}


def pull_error(names: Names) -> str:
    """Return why the registry did not give an image."""
    return _PULL_ERROR.format(n=names)


def start_error(program: str) -> str:
    """Return what containerd says of a command that is not in the image."""
    return (
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
        "runc create failed: unable to start container process: error during container init: "
        f'exec: "{program}": stat {program}: no such file or directory: unknown'
    )


def _unhealthy(happening: Happening, names: Names, probe: Probe | None) -> Event:
    outcome = Outcome(int(happening.detail))
    page = (probe and probe.path) or _PATHS[happening.probe]
    place = f"{names.address}:{PORT if probe is None else probe.port}"
    get = f'Get "http://{place}{page}": '
    text = {
        Outcome.TIMEOUT: get
        + "context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
        Outcome.REFUSED: get + f"dial tcp {place}: connect: connection refused",
    }.get(outcome, f"HTTP probe failed with statuscode: {int(outcome)}")
    if probe is not None and probe.path is None:
        text = text.removeprefix(get)
    name = PROBE_NAMES[happening.probe]
    return Event(type="Warning", reason="Unhealthy", message=f"{name} probe failed: {text}")

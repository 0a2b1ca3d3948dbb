"""Breaking things in the cluster that `up` started: faults of its world, mistakes in its specifications.

Faults go to the simulator's own server, which `simulator.json` beside the kubeconfig names. Mistakes go
to the API server, as their makers would send them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx

from deployments.lifecycle import NotUpError
from deployments.local import Local, at_running_ports, running_state
from deployments.local_cluster.kubeconfig import KubeconfigError, api_client

DEMONSTRATION = "shop"
"""Namespace that goes without saying."""
CONTROL_FILE = "simulator.json"
MANAGER = "kubectl-edit"
"""Under whose name mistakes are made: that of the command people make them with."""
TIMEOUT_SECONDS = 10.0
ATTEMPTS = 5
"""At a change that others are in the way of."""
REVISION = "deployment.kubernetes.io/revision"
SUBJECTS = ("node", "source", "target")
"""Fields that say where a fault is; the first that a kind has."""

Json = dict[str, Any]


class SimulatorError(Exception):
    """The simulator cannot be reached or refuses, or there is no such workload or kind."""


class ChangedMeanwhileError(SimulatorError):
    """Somebody else changed the object between reading and writing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """Something that was broken.

    Attributes:
        name: To withdraw the fault by; empty of a mistake.
        kind: Of the fault or mistake.
        subject: Node, workload or service.
        sentence: What it does.
        values: What was said and what is taken where nothing was.
        undo: The command that ends it.
    """

    name: str
    kind: str
    subject: str
    sentence: str
    values: Mapping[str, Any]
    undo: str


@contextmanager
def running_simulator(local: Local) -> Iterator[Simulator]:
    """Connect to the simulator of the cluster that `up` started.

    Raises:
        NotUpError: Nothing is up.
        SimulatorError: The cluster is somebody's own: nothing in it is ours to break.
    """
    state = running_state(local)
    if state is None:
        raise NotUpError
    local = at_running_ports(local, state)
    if not local.has_own_cluster or local.kubeconfig is None:
        message = (
            "this installation started no cluster, and breaks nothing in one of yours; "
            "`homeostat down`, then `homeostat up --cluster embedded`"
        )
        raise SimulatorError(message)
    path = local.kubeconfig.with_name(CONTROL_FILE)
    try:
        found = json.loads(path.read_text())
        url, token = found["url"], found["token"]
    except (OSError, ValueError, LookupError) as error:
        starting = "" if state.ready else "it is still starting; "
        message = f"{starting}no word of the simulator in {path}; its log is {local.logs / 'workloads.log'}"
        raise SimulatorError(message) from error
    with (
        _control(url, token) as control,
        _of_kubeconfig(local.kubeconfig) as api,
    ):
        yield Simulator(control=control, api=api)


def _control(url: str, token: str) -> httpx.Client:
    return httpx.Client(
        base_url=url,
        headers={"Authorization": f"Bearer {token}"},
        timeout=TIMEOUT_SECONDS,
        trust_env=False,
    )


def _of_kubeconfig(path: Path) -> httpx.Client:
    try:
        return api_client(path, timeout_seconds=TIMEOUT_SECONDS)
    except KubeconfigError as error:
        raise SimulatorError(str(error)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulator:
    """The simulated cluster.

    Attributes:
        control: To the simulator's own server.
        api: To the API server, as the administrator.
    """

    control: httpx.Client
    api: httpx.Client

    def state(self) -> Json:
        """Return workloads, nodes and pods as they are; `kubelet.summary` says of what shape."""
        return _asked(self.control, "GET", "/state")

    def faults(self) -> list[Json]:
        """Return the faults in force: name, since_seconds, fault."""
        found: list[Json] = _asked(self.control, "GET", "/faults")["faults"]
        return found

    def kinds(self) -> list[Json]:
        """Return every kind of fault: kind, sentence, disguise, once, fields."""
        found: list[Json] = _asked(self.control, "GET", "/kinds")["kinds"]
        return found

    def break_(self, subject: str, kind: str, values: Mapping[str, Any]) -> Broken:
        """Put a fault in force, or make a mistake in a specification.

        Args:
            subject: Workload ("cart" or "shop/cart"), node, or service that is called outside.
            kind: Of the fault or of the mistake.
            values: Of its fields; what is not said is taken from its example.

        Raises:
            SimulatorError: There is no such kind or subject, or a value is refused.
        """
        for found in self.kinds():
            if found["kind"] == kind:
                return self._put_fault(subject, found, values)
        return self._make_mistake(subject, kind, values)

    def mend(self, names: Sequence[str]) -> list[str]:
        """Withdraw faults.

        Args:
            names: Of faults, or of what they are in; none for all.

        Returns:
            Names of those withdrawn.

        Raises:
            SimulatorError: One of the names is in force nowhere.
        """
        found = self.faults()
        wanted = [one["name"] for one in found if not names or _is_meant(one, names)]
        unknown = [name for name in names if not any(_is_meant(one, [name]) for one in found)]
        if unknown:
            known = ", ".join(one["name"] for one in found) or "none"
            message = f"no fault {unknown[0]!r} is in force; in force are: {known}"
            raise SimulatorError(message)
        for name in wanted:
            _asked(self.control, "DELETE", f"/faults/{name}")
        return wanted

    def _put_fault(self, subject: str, kind: Json, values: Mapping[str, Any]) -> Broken:
        fields = {one["name"]: one for one in kind["fields"]}
        where = next(name for name in SUBJECTS if name in fields)
        place = subject if where == "node" else self._workload(subject)
        examples = {
            name: one["example"]
            for name, one in fields.items()
            if one["needed"] and one.get("example") is not None
        }
        if where in values:
            message = f"{where} is what was named first, {place!r}; leave {where}= out"
            raise SimulatorError(message)
        said = dict(values)
        if where == "source" and "target" in said:
            said["target"] = self._workload(str(said["target"]))
        chosen = {where: place, **examples, **said}
        name = _name_of(place, kind["kind"], said)
        _asked(self.control, "PUT", f"/faults/{name}", {"kind": kind["kind"], **chosen})
        return Broken(
            name=name,
            kind=kind["kind"],
            subject=place,
            sentence=kind["sentence"],
            values={key: value for key, value in chosen.items() if key != where},
            undo=f"homeostat mend {name}",
        )

    def _make_mistake(self, subject: str, kind: str, values: Mapping[str, Any]) -> Broken:
        # Late: it brings numpy with it.
        from deployments.embedded.workloads.changes import CHANGES, change_of, example_of
        from deployments.embedded.workloads.physics.arrays import InvalidValueError

        if kind not in CHANGES:
            known = ", ".join([*(one["kind"] for one in self.kinds()), *CHANGES])
            message = f"{kind!r} is no kind of fault or mistake; there are: {known}"
            raise SimulatorError(message)
        namespace, _, name = self._workload(subject).partition("/")
        if not name:
            message = f"there is no deployment {subject!r}; `homeostat workloads` lists them"
            raise SimulatorError(message)
        path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
        for attempt in range(ATTEMPTS):
            deployment = _asked(self.api, "GET", path)
            try:
                chosen = {**example_of(kind, deployment), **values}
                made = change_of(kind, chosen).of(deployment)
            except InvalidValueError as error:
                raise SimulatorError(str(error)) from error
            try:
                _asked(self.api, "PUT", path, made, fieldManager=MANAGER)
                break
            except ChangedMeanwhileError:
                if attempt == ATTEMPTS - 1:
                    raise
        before = (deployment["metadata"].get("annotations") or {}).get(REVISION, "")
        to = f" --to-revision={before}" if before else ""
        return Broken(
            name="",
            kind=kind,
            subject=f"{namespace}/{name}",
            sentence=CHANGES[kind].sentence,
            values=chosen,
            undo=f"kubectl -n {namespace} rollout undo deployment/{name}{to}",
        )

    def _workload(self, given: str) -> str:
        """Return "namespace/name" where a name alone is one workload's; others as they are."""
        if "/" in given:
            return given
        known = [one for one in self.state()["workloads"] if one.rpartition("/")[2] == given]
        return known[0] if len(known) == 1 else given


def _name_of(place: str, kind: str, said: Mapping[str, Any]) -> str:
    """Return a name for a fault: another one where it is somewhere else, the same where it is changed."""
    parts = [place.removeprefix(f"{DEMONSTRATION}/"), kind]
    if "target" in said:
        parts.append(str(said["target"]).removeprefix(f"{DEMONSTRATION}/"))
    name = re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower())
    return name[:63].strip("-")


def _is_meant(fault: Json, names: Sequence[str]) -> bool:
    inside = fault["fault"]
    places = [str(inside.get(field, "")) for field in SUBJECTS]
    return any(
        name in (fault["name"], *places, *(one.rpartition("/")[2] for one in places))
        for name in names
    )


def _asked(
    client: httpx.Client, method: str, path: str, body: Json | None = None, **query: str
) -> Json:
    try:
        answer = client.request(method, path, json=body, params=query)
    except httpx.TransportError as error:
        message = f"{client.base_url} does not answer: {error}; `homeostat status` shows what runs"
        raise SimulatorError(message) from error
    try:
        found: Json = answer.json()
    except ValueError:
        found = {"message": answer.text[:300]}
    if answer.is_success:
        return found
    if answer.status_code == HTTPStatus.NOT_FOUND and method == "GET":
        name = path.rpartition("/")[2]
        message = f"there is no deployment {name!r}; `homeostat workloads` lists them"
        raise SimulatorError(message)
    if answer.status_code == HTTPStatus.CONFLICT:
        raise ChangedMeanwhileError(str(found.get("message")))
    raise SimulatorError(str(found.get("error") or found.get("message") or answer.status_code))

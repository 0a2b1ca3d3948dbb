"""Rollouts: a ReplicaSet for each template, grown and shrunk within what the strategy allows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import orjson

from deployments.embedded.kubernetes.controllers.loop import (
    Controller,
    Key,
    controller_reference,
    owner_of,
)
from deployments.embedded.kubernetes.controllers.rollouts import (
    Size,
    allowances,
    next_sizes,
    proportional,
)
from deployments.embedded.kubernetes.events import record
from deployments.embedded.kubernetes.kinds import Kind
from deployments.embedded.kubernetes.objects import SAFE, Deletion, Writer, timestamp
from deployments.embedded.kubernetes.pods import set_condition
from deployments.embedded.kubernetes.store import Body, Happened

COMPONENT = "deployment-controller"
WRITER = Writer(manager="kube-controller-manager")
HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MOST = "deployment.kubernetes.io/max-replicas"
NOT_COPIED = (REVISION, DESIRED, MOST, "kubectl.kubernetes.io/last-applied-configuration")


class Deployments(Controller):
    """Keeps ReplicaSets as Deployments want them, and tells how far they are."""

    def kinds(self) -> tuple[Kind, ...]:
        """Return Deployments, and the ReplicaSets they make."""
        return self.kind("apps", "v1", "deployments"), self.kind("apps", "v1", "replicasets")

    def affected(self, kind: Kind, happened: Happened) -> Iterable[Key]:
        """Return the Deployment itself, or that of a ReplicaSet."""
        if kind is self.watched[0]:
            return [happened.entry.key]
        owner = owner_of(happened.entry, "Deployment")
        return [] if owner is None else [owner]

    def reconcile(self, key: Key) -> float | None:
        """Bring the ReplicaSets of a Deployment one step on."""
        kind, sets = self.watched
        entry = self.objects.store.get(kind, *key)
        if entry is None:
            return None
        body = entry.body()
        if body["metadata"].get("deletionTimestamp"):
            return None
        known = [one.body() for one in self.objects.store.owned(sets, entry.uid)]
        known.sort(key=_revision)
        new = next((one for one in known if _same_template(one, body)), None)
        old = [one for one in known if one is not new]
        paused = bool(body["spec"].get("paused"))
        if new is None and not paused:
            new = self._make(body, known)
        elif new is not None and not paused:
            self._number(body, new, old)
        if body["spec"]["strategy"]["type"] == "Recreate" and not paused and new is not None:
            self._recreate(body, new, old)
        else:
            self._roll(body, new, old, paused=paused)
        self._forget(body, old)
        return self._tell(key, new)

    def _make(self, body: Body, known: list[Body]) -> Body:
        template = body["spec"]["template"]
        collisions = int((body.get("status") or {}).get("collisionCount", 0))
        digest = template_hash(template, collisions)
        labels = dict(template["metadata"].get("labels") or {}) | {HASH: digest}
        selector = dict(body["spec"]["selector"])
        selector["matchLabels"] = dict(selector.get("matchLabels") or {}) | {HASH: digest}
        revision = str(max(map(_revision, known), default=0) + 1)
        name = f"{body['metadata']['name']}-{digest}"
        surge, _ = allowances(body["spec"]["strategy"], int(body["spec"]["replicas"]))
        made = self.objects.create(
            self.watched[1],
            body["metadata"]["namespace"],
            {
                "metadata": {
                    "name": name,
                    "labels": labels,
                    "annotations": self._annotations(body, revision, surge),
                    "ownerReferences": [controller_reference(body, kind="Deployment")],
                },
                "spec": {
                    "replicas": 0,
                    "minReadySeconds": int(body["spec"].get("minReadySeconds", 0)),
                    "selector": selector,
                    "template": _labelled(template, labels),
                },
            },
            WRITER,
        )
        self._say_revision(body, revision)
        return made.body()

    def _annotations(self, body: Body, revision: str, surge: int) -> dict[str, str]:
        said = body["metadata"].get("annotations") or {}
        replicas = int(body["spec"]["replicas"])
        kept = {key: value for key, value in said.items() if key not in NOT_COPIED}
        return kept | {REVISION: revision, DESIRED: str(replicas), MOST: str(replicas + surge)}

    def _number(self, body: Body, new: Body, old: list[Body]) -> None:
        """Make the wanted template's set the newest: going back to an old one is a new revision."""
        newest = max(map(_revision, old), default=0)
        if _revision(new) <= newest:
            annotations = new["metadata"].setdefault("annotations", {})
            past = [
                annotations.get("deployment.kubernetes.io/revision-history"),
                annotations[REVISION],
            ]
            annotations["deployment.kubernetes.io/revision-history"] = ",".join(filter(None, past))
            annotations[REVISION] = str(newest + 1)
            self.objects.store.put(self.watched[1], new)
        self._say_revision(body, new["metadata"]["annotations"][REVISION])

    def _say_revision(self, body: Body, revision: str) -> None:
        annotations = body["metadata"].setdefault("annotations", {})
        if annotations.get(REVISION) != revision:
            annotations[REVISION] = revision
            self.objects.store.put(self.watched[0], body)

    def _roll(self, body: Body, new: Body | None, old: list[Body], *, paused: bool) -> None:
        replicas = int(body["spec"]["replicas"])
        surge, missing = allowances(body["spec"]["strategy"], replicas)
        known = [*old, *([] if new is None else [new])]
        active = [one for one in known if int(one["spec"]["replicas"])]
        if len(active) == 1 and (paused or active[0] is new):
            wanted = {active[0]["metadata"]["name"]: replicas}
        elif paused or (active and _resized(active, replicas)):
            resized = _resized(active, replicas)
            most = replicas if len(active) < 2 else replicas + surge
            wanted = proportional([_size(one) for one in active], most) if resized else {}
        elif new is not None:
            sizes = [_size(one) for one in old]
            wanted = next_sizes(_size(new), sizes, replicas=replicas, surge=surge, missing=missing)
        else:
            wanted = {}
        for one in known:
            self._resize(body, one, wanted.get(one["metadata"]["name"], _wanted(one)), surge=surge)

    def _recreate(self, body: Body, new: Body, old: list[Body]) -> None:
        for one in old:
            self._resize(body, one, 0, surge=0)
        if not any(int((one.get("status") or {}).get("replicas", 0)) for one in old):
            self._resize(body, new, int(body["spec"]["replicas"]), surge=0)

    def _resize(self, body: Body, one: Body, wanted: int, *, surge: int) -> None:
        replicas = int(body["spec"]["replicas"])
        noted = {DESIRED: str(replicas), MOST: str(replicas + surge)}
        annotations = one["metadata"].setdefault("annotations", {})
        had = _wanted(one)
        if had == wanted and all(annotations.get(key) == value for key, value in noted.items()):
            return
        annotations |= noted
        if had != wanted:
            one["spec"]["replicas"] = wanted
            one["metadata"]["generation"] = one["metadata"].get("generation", 1) + 1
            way = "up" if wanted > had else "down"
            said = f"Scaled {way} replica set {one['metadata']['name']} from {had} to {wanted}"
            record(self.objects, body, "ScalingReplicaSet", said, component=COMPONENT)
        one |= self.objects.store.put(self.watched[1], one).body()

    def _forget(self, body: Body, old: list[Body]) -> None:
        """Delete the oldest sets that are empty, beyond the history that is kept."""
        empty = [
            one
            for one in old
            if not _wanted(one) and not int((one.get("status") or {}).get("replicas", 0))
        ]
        for one in empty[: max(len(empty) - int(body["spec"]["revisionHistoryLimit"]), 0)]:
            metadata = one["metadata"]
            self.objects.delete(
                self.watched[1], metadata["namespace"], metadata["name"], Deletion()
            )

    def _tell(self, key: Key, new: Body | None) -> float | None:
        kind, sets = self.watched
        entry = self.objects.store.get(kind, *key)
        if entry is None:
            return None
        body = entry.body()
        known = [one.body() for one in self.objects.store.owned(sets, entry.uid)]
        replicas = int(body["spec"]["replicas"])
        _, missing = allowances(body["spec"]["strategy"], replicas)
        counts = {
            "replicas": _sum(known, "replicas"),
            "updatedReplicas": 0 if new is None else _sum([new], "replicas"),
            "readyReplicas": _sum(known, "readyReplicas"),
            "availableReplicas": _sum(known, "availableReplicas"),
        }
        counts["unavailableReplicas"] = max(
            max(counts["replicas"], replicas) - counts["availableReplicas"], 0
        )
        before = body.get("status") or {}
        status: Body = {name: many for name, many in counts.items() if many}
        status["terminatingReplicas"] = _sum(known, "terminatingReplicas")
        status["observedGeneration"] = body["metadata"].get("generation", 1)
        status["conditions"] = list(before.get("conditions") or [])
        told = body | {"status": status}
        enough = counts["availableReplicas"] >= replicas - missing
        set_condition(
            told,
            "Available",
            "True" if enough else "False",
            reason="MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
            message=f"Deployment {'has' if enough else 'does not have'} minimum availability.",
        )
        again = _progress(told, before, new, counts, replicas)
        if told["status"] != before:
            self.objects.store.put(kind, told)
        return again


def _progress(
    body: Body, before: Body, new: Body | None, counts: dict[str, int], replicas: int
) -> float | None:
    """Write whether a rollout moves; return after how many seconds it would be too slow."""
    if body["spec"].get("paused"):
        set_condition(
            body,
            "Progressing",
            "Unknown",
            reason="DeploymentPaused",
            message="Deployment is paused",
        )
        return None
    if new is None:
        return None
    name = new["metadata"]["name"]
    done = (
        counts["updatedReplicas"] == replicas == counts["replicas"]
        and counts["availableReplicas"] == replicas
    )
    known = next(
        (one for one in before.get("conditions") or () if one["type"] == "Progressing"), None
    )
    if done:
        said = f'ReplicaSet "{name}" has successfully progressed.'
        _moved(
            body,
            "True",
            "NewReplicaSetAvailable",
            said,
            known,
            moved=known is None or known.get("reason") != "NewReplicaSetAvailable",
        )
        return None
    moved = known is None or any(
        counts[key] != int(before.get(key, 0))
        for key in ("replicas", "updatedReplicas", "availableReplicas")
    )
    moved = moved or (known or {}).get("reason") == "NewReplicaSetAvailable"
    limit = float(body["spec"].get("progressDeadlineSeconds", 600))
    since = datetime.fromisoformat((known or {}).get("lastUpdateTime") or timestamp())
    idle = 0.0 if moved else (datetime.now(UTC) - since).total_seconds()
    if idle >= limit:
        said = f'ReplicaSet "{name}" has timed out progressing.'
        _moved(body, "False", "ProgressDeadlineExceeded", said, known, moved=False)
        return None
    if (known or {}).get("reason") == "ProgressDeadlineExceeded" and not moved:
        return None
    said = f'ReplicaSet "{name}" is progressing.'
    _moved(body, "True", "ReplicaSetUpdated", said, known, moved=moved)
    return limit - idle + 0.1


def _moved(
    body: Body, status: str, reason: str, message: str, known: Body | None, *, moved: bool
) -> None:
    set_condition(body, "Progressing", status, reason=reason, message=message)
    for one in body["status"]["conditions"]:
        if one["type"] == "Progressing":
            before = (known or {}).get("lastUpdateTime")
            one["lastUpdateTime"] = timestamp() if moved or before is None else before
        elif one["type"] == "Available":
            one.setdefault("lastUpdateTime", one["lastTransitionTime"])


def template_hash(template: Body, collisions: int) -> str:
    """Return the letters that tell a template from others."""
    said = orjson.dumps([template, collisions], option=orjson.OPT_SORT_KEYS)
    number = int.from_bytes(hashlib.blake2b(said, digest_size=8).digest(), "big")
    letters = ""
    for _ in range(10):
        number, at = divmod(number, len(SAFE))
        letters += SAFE[at]
    return letters


def _same_template(one: Body, body: Body) -> bool:
    return _plain(one["spec"]["template"]) == _plain(body["spec"]["template"])


def _plain(template: Body) -> Body:
    metadata = template.get("metadata") or {}
    labels = {k: v for k, v in (metadata.get("labels") or {}).items() if k != HASH}
    said = {k: v for k, v in metadata.items() if k not in ("labels", "creationTimestamp") and v}
    return {"metadata": said | {"labels": labels}, "spec": template.get("spec")}


def _labelled(template: Body, labels: dict[str, str]) -> Body:
    return template | {"metadata": template["metadata"] | {"labels": labels}}


def _revision(one: Body) -> int:
    return int((one["metadata"].get("annotations") or {}).get(REVISION, 0))


def _wanted(one: Body) -> int:
    return int(one["spec"]["replicas"])


def _size(one: Body) -> Size:
    status = one.get("status") or {}
    return Size(
        name=one["metadata"]["name"],
        wanted=_wanted(one),
        there=int(status.get("replicas", 0)),
        available=int(status.get("availableReplicas", 0)),
    )


def _resized(active: list[Body], replicas: int) -> bool:
    """Return whether the Deployment was scaled since the sets were last sized."""
    noted: list[Any] = [(one["metadata"].get("annotations") or {}).get(DESIRED) for one in active]
    return any(one is not None and one != str(replicas) for one in noted)


def _sum(sets: Iterable[Body], name: str) -> int:
    return sum(int((one.get("status") or {}).get(name, 0)) for one in sets)

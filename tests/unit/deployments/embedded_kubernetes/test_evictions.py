"""Evictions that a running cluster shows for an instant only."""

from __future__ import annotations

import pytest

from deployments.embedded.kubernetes.errors import ApiError
from deployments.embedded.kubernetes.kinds import Kinds
from deployments.embedded.kubernetes.objects import Deletion, Objects, Writer
from deployments.embedded.kubernetes.pods import RETRY_SECONDS, evict
from deployments.embedded.kubernetes.store import Store

WRITER = Writer(manager="tests")
LABELS = {"app": "web"}


def test_a_budget_that_nobody_counted_yet_lets_no_healthy_pod_go_and_says_when_to_ask_again() -> (
    None
):
    objects = Objects(Store(), Kinds())
    built_in = objects.kinds.built_in
    objects.create(built_in("", "v1", "namespaces"), "", {"metadata": {"name": "default"}}, WRITER)
    pods, budgets = built_in("", "v1", "pods"), built_in("policy", "v1", "poddisruptionbudgets")
    body = {
        "metadata": {"name": "web", "labels": LABELS},
        "spec": {"containers": [{"name": "app", "image": "app:1"}]},
    }
    objects.create(pods, "default", body, WRITER)
    ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    pod = objects.patch(
        pods, "default", "web", lambda it: it | {"status": ready}, WRITER, part="status"
    )
    rule = {"minAvailable": 0, "selector": {"matchLabels": LABELS}}
    objects.create(budgets, "default", {"metadata": {"name": "web"}, "spec": rule}, WRITER)

    with pytest.raises(ApiError, match="would violate") as refused:
        evict(objects, pods, pod, Deletion())

    assert (refused.value.code, refused.value.retry_after) == (429, RETRY_SECONDS)
    (cause,) = refused.value.details["causes"]
    assert cause["message"] == ("The disruption budget web is still being processed by the server.")

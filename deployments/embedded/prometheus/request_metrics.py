"""What programs tell of their own work, and who answered when it was scraped."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from deployments.embedded.prometheus.container_metrics import node_exporter
from deployments.embedded.prometheus.families import Family
from deployments.embedded.prometheus.labels import Labels, labels_of
from deployments.embedded.prometheus.scraped import STATE, Scrape, kubelet, variants
from deployments.embedded.workloads.engine import Pod
from deployments.embedded.workloads.physics.arrays import Bools
from deployments.embedded.workloads.physics.profiles import NodeProfile
from deployments.embedded.workloads.physics.queueing import BUCKETS_SECONDS

BOUNDS = (*(str(bound) for bound in BUCKETS_SECONDS), "+Inf")
"""Values of `le`, as Prometheus 3 keeps them."""


def request_families(scrape: Scrape) -> Iterator[Family]:
    """Yield what programs count: requests over HTTP, or messages taken from a queue."""
    there = scrape.program_answers
    codes, outcomes = ("code", "200", "500"), ("outcome", "ok", "error")
    web, queue = there & ~scrape.queue, there & scrape.queue
    yield from _work(scrape, "http_requests_total", "http_request", codes, web)
    yield from _work(scrape, "messages_processed_total", "message", outcomes, queue)


def _work(
    scrape: Scrape, total: str, base: str, outcomes: tuple[str, str, str], there: Bools
) -> Iterator[Family]:
    counters, pods = scrape.tick.counters, scrape.pods
    label, *values = outcomes

    def outcome(pod: Pod) -> list[Labels]:
        return [scrape.program(pod, **one) for one in variants(label, values)]

    def bucket(pod: Pod) -> list[Labels]:
        return [scrape.program(pod, **one) for one in variants("le", BOUNDS)]

    def alone(pod: Pod) -> list[Labels]:
        return [scrape.program(pod)]

    both = np.stack([counters.served, counters.failed], axis=1)
    yield pods.family(total, outcome, both, there)
    within = np.concatenate([counters.latency_buckets, counters.served[:, None]], axis=1)
    yield pods.family(f"{base}_duration_seconds_bucket", bucket, within, there)
    yield pods.family(f"{base}_duration_seconds_sum", alone, counters.latency_seconds, there)
    yield pods.family(f"{base}_duration_seconds_count", alone, counters.served, there)


def up_families(scrape: Scrape) -> Iterator[Family]:
    """Yield up of programs, and of what there is one of for each node or once."""
    running: Bools = scrape.tick.table.started_at > 0
    programs = scrape.pods.family(
        "up", lambda pod: [scrape.program(pod)], scrape.program_answers, running
    )
    answers = scrape.node_answers.astype(float)

    def node(one: NodeProfile) -> list[Labels]:
        return [labels_of(kubelet(one)), labels_of(node_exporter(one))]

    nodes = scrape.nodes.family("up", node, np.stack([answers, answers], axis=1))
    yield Family(
        name="up",
        labels=[*programs.labels, *nodes.labels, labels_of(STATE)],
        values=np.concatenate([programs.values, nodes.values, [1.0]]),
    )


def queue_families(scrape: Scrape) -> Iterator[Family]:
    """Yield what the broker tells of its queues."""
    backlog = scrape.tick.answer.backlog
    rows = np.flatnonzero(scrape.world.queue)
    names = [scrape.world.workloads[row].name.split("/") for row in rows.tolist()]
    place = {"job": "rabbitmq", "instance": "rabbitmq:15692"}
    yield Family(
        name="rabbitmq_queue_messages_ready",
        labels=[
            labels_of(place | {"vhost": namespace, "queue": name}) for namespace, name in names
        ],
        values=backlog[rows],
    )

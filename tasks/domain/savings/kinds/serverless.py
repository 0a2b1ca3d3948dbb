"""Functions instead of instances, for services with few requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.domain.instances import Architecture
from tasks.domain.inventory import Service
from tasks.domain.savings.bill import Spend
from tasks.domain.savings.cover import LINUX
from tasks.domain.savings.evidence import (
    Evidence,
    confidence,
    is_production,
    known_window,
    reject,
    saving_step,
    tag_says,
    too_short,
    usd_step,
)
from tasks.domain.savings.kinds.explained import other_work
from tasks.domain.savings.machines import Machines
from tasks.domain.savings.money import HOURS_PER_MONTH, HOURS_PER_WEEK, FunctionPrice, Usd
from tasks.domain.savings.opportunity import Effort, Kind, Opportunity, Rejection, Step
from tasks.domain.savings.policy import SCHEDULE_TAG
from tasks.domain.savings.running import days_known
from tasks.domain.savings.selection.alternatives import Alternative, ResourceKey, Stage
from tasks.domain.usage.panel import Metric

MOST_INSTANCES = 4
"""More are no small service."""
API_LIMIT_SECONDS = 30.0
"""An HTTP API answers within this or not at all."""
MOST_CONCURRENT = 500.0
"""Half of an account's 1,000 functions at once, which all its functions share."""
FUNCTION_MIB = 1_769
"""Memory that gives a function one whole vCPU."""
MOST_FUNCTION_GIB = 10.0
TAIL_FACTOR = 3.0
"""95 % quantile of response times over their mean, of an exponential distribution."""
LEAST_WEEK_HOURS = 24
"""Known hours that a week needs to be the busiest."""
UNKNOWN_MEMORY_FACTOR = 0.8
CAUTION_FACTOR = 0.8
"""Of the confidence: its memory is not measured, it may be production."""
PEAK_FACTOR = 10.0
"""Most requests of a second, of the mean of its hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What a service answers.

    Attributes:
        requests_per_hour: Mean.
        high_requests_per_hour: Mean of the busiest week.
        peak_requests_per_hour: Of the busiest hour.
        seconds: Mean response time.
        slow_seconds: That 95 of 100 responses take at most, in 95 of 100 hours.
    """

    requests_per_hour: float
    high_requests_per_hour: float
    peak_requests_per_hour: float
    seconds: float
    slow_seconds: float

    @property
    def peak_concurrency(self) -> float:
        """Functions that may run at once."""
        return self.peak_requests_per_hour / 3_600.0 * PEAK_FACTOR * self.seconds


def serverless(
    service: Service, hosts: Sequence[Machines], evidence: Evidence
) -> Alternative | Rejection | None:
    """Return the alternative to answer a service's requests by functions.

    Args:
        service: Any.
        hosts: Every instance or group that answers for it, whole.
        evidence: Requests, response times, prices and policy.

    Returns:
        None for services of more than a few instances, or that run on nothing with a price.
    """
    key = (service.region, service.service_id)
    count = sum(float(one.running.max()) for one in hosts)
    if not hosts or len(service.instance_ids) > MOST_INSTANCES or count > MOST_INSTANCES:
        return None
    traffic = _traffic(service, evidence)
    if isinstance(traffic, str):
        return reject(Kind.SERVERLESS, key, traffic)
    days = days_known(evidence.panel, service.service_id, Metric.REQUESTS)
    short = too_short(Kind.SERVERLESS, key, days, evidence.policy)
    price = evidence.prices.functions.get(service.region)
    if short is not None:
        return short
    if price is None or Architecture.X86_64 not in price.usd_per_gib_second:
        return reject(Kind.SERVERLESS, key, f"no price of functions in {service.region} is known")
    forbidden = (
        _hosts_forbid(hosts)
        or _forbidden(traffic, hosts, evidence)
        or other_work(service, hosts, evidence)
    )
    if forbidden is not None:
        return reject(Kind.SERVERLESS, key, forbidden, _facts(traffic))
    return _decided(service, hosts, traffic, price, evidence)


def request_usd(traffic: Traffic, price: FunctionPrice, *, gib: float) -> float:
    """Return what one request costs: function, its time, and the HTTP API in front of it."""
    per_second = gib * price.usd_per_gib_second[Architecture.X86_64]
    return price.usd_per_request + price.usd_per_api_request + traffic.seconds * per_second


def _traffic(service: Service, evidence: Evidence) -> Traffic | str:
    """Return what a service answers, or what is missing and how to make it known."""
    requests = evidence.panel.row(Metric.REQUESTS, service.service_id)
    seconds = evidence.panel.row(Metric.RESPONSE, service.service_id)
    if requests is None:
        return (
            "its request rate is unknown; put it behind an application load balancer, which counts "
            "requests, or publish RequestCount for its target group"
        )
    if float(np.nansum(requests)) <= 0.0:
        return "it had no request at all: it may be stopped rather than rebuilt"
    if seconds is None:
        return "its response time is unknown; publish TargetResponseTime for its target group"
    known = np.isfinite(requests) & np.isfinite(seconds) & (requests > 0.0)
    if not known.any():
        return "requests and response time are never known in the same hour"
    weights = requests[known].astype(np.float64)
    return Traffic(
        requests_per_hour=float(np.nanmean(requests)),
        high_requests_per_hour=_busy_weeks(requests.astype(np.float64)),
        peak_requests_per_hour=float(np.nanmax(requests)),
        seconds=float(np.average(seconds[known].astype(np.float64), weights=weights)),
        slow_seconds=TAIL_FACTOR * float(np.nanquantile(seconds[known], 0.95)),
    )


def _busy_weeks(requests: np.ndarray) -> float:
    """Return the mean of the busiest week, requests per hour, over the hours that are known."""
    weeks = np.array_split(requests, max(len(requests) // HOURS_PER_WEEK, 1))
    known = [week for week in weeks if np.isfinite(week).sum() >= LEAST_WEEK_HOURS]
    return max((float(np.nanmean(week)) for week in known), default=float(np.nanmean(requests)))


def _hosts_forbid(hosts: Sequence[Machines]) -> str | None:
    """Return what its machines are that functions cannot replace."""
    found = [one for host in hosts for one in host.instances]
    other = sorted({one.product for one in found} - {LINUX})
    if other:
        return f"it runs {', '.join(other)}; functions run Linux"
    if any(tag_says(one.tags, SCHEDULE_TAG) == "never" for one in found):
        return f"the tag {SCHEDULE_TAG} says never: its machines have to run"
    return None


def _forbidden(traffic: Traffic, hosts: Sequence[Machines], evidence: Evidence) -> str | None:
    if traffic.slow_seconds > API_LIMIT_SECONDS:
        return (
            f"95 of 100 responses may take up to {traffic.slow_seconds:.1f} s ({TAIL_FACTOR:.0f} "
            f"times the mean), an HTTP API waits {API_LIMIT_SECONDS:.0f} s (a function 900 s): split the slow requests off first"
        )
    if traffic.peak_concurrency > MOST_CONCURRENT:
        return (
            f"{traffic.peak_requests_per_hour:.0f} requests in the busiest hour may need "
            f"{traffic.peak_concurrency:.0f} functions at once, {MOST_CONCURRENT:.0f} are reckoned "
            "as safe"
        )
    memory = _memory_gib(hosts, evidence)
    if memory is not None and memory > MOST_FUNCTION_GIB:
        return f"it uses {memory:.1f} GiB of memory, a function has at most {MOST_FUNCTION_GIB:.0f}"
    return None


def _memory_gib(hosts: Sequence[Machines], evidence: Evidence) -> float | None:
    """Return the most memory that any instance used; None where none is measured."""
    found = []
    for one in (instance for host in hosts for instance in host.instances):
        row = evidence.panel.row(Metric.MEMORY_MAX, one.instance_id)
        facts = evidence.prices.types.get(one.instance_type)
        if row is not None and facts is not None:
            found.append(float(np.nanquantile(row, 0.99)) / 100.0 * facts.shape.memory_gib)
    return max(found, default=None)


def _decided(
    service: Service,
    hosts: Sequence[Machines],
    traffic: Traffic,
    price: FunctionPrice,
    evidence: Evidence,
) -> Alternative | Rejection:
    key = (service.region, service.service_id)
    memory = _memory_gib(hosts, evidence)
    gib = max(FUNCTION_MIB / 1024.0, memory or 0.0)
    each = request_usd(traffic, price, gib=gib)
    before_usd = sum(host.spend.usd for host in hosts)
    after_usd = each * traffic.requests_per_hour * HOURS_PER_MONTH
    break_even = before_usd / (each * HOURS_PER_MONTH)
    facts = {**_facts(traffic), "break_even_requests_per_hour": break_even}
    if after_usd >= before_usd:
        why = (
            f"{traffic.requests_per_hour:.0f} requests an hour would cost {after_usd:.2f} USD a "
            f"month, its instances {before_usd:.2f}: it pays below {break_even:.0f} an hour"
        )
        return reject(Kind.SERVERLESS, key, why, facts)
    found = _opportunity(
        service,
        hosts,
        traffic,
        evidence,
        steps=_steps(traffic, price, gib=gib, before_usd=before_usd),
        before_usd=before_usd,
        request=each,
        memory_known=memory is not None,
    )
    resources: tuple[ResourceKey, ...] = tuple(sorted(host.key for host in hosts))
    stage = Stage(opportunity=found, spend=Spend(other_usd=after_usd))
    return Alternative(resources=resources, stages=(stage,))


def _facts(traffic: Traffic) -> dict[str, str | float]:
    return {
        "requests_per_hour": traffic.requests_per_hour,
        "response_seconds": traffic.seconds,
        "peak_concurrency": traffic.peak_concurrency,
    }


def _steps(
    traffic: Traffic, price: FunctionPrice, *, gib: float, before_usd: float
) -> tuple[Step, ...]:
    each = request_usd(traffic, price, gib=gib)
    second = price.usd_per_gib_second[Architecture.X86_64]
    requests = traffic.requests_per_hour * HOURS_PER_MONTH
    million = 1e6
    return (
        usd_step("instances now", "sum of its instances", before_usd),
        Step(
            what="requests",
            formula=f"{traffic.requests_per_hour:.2f} an hour x 730 h",
            value=requests,
            unit="requests/month",
        ),
        Step(
            what="a million requests",
            formula=f"{price.usd_per_request * million:.3f} (Lambda) + "
            f"{price.usd_per_api_request * million:.3f} (HTTP API) + {traffic.seconds:.4f} s x "
            f"{gib:.3f} GiB x {second * million:.4f}",
            value=each * million,
            unit="USD",
        ),
        usd_step(
            "functions", f"{requests / million:.6f} million x {each * million:.4f}", each * requests
        ),
        Step(
            what="pays below",
            formula=f"{before_usd:.2f} / ({each * million:.4f} / 1000000 x 730 h)",
            value=before_usd / (each * HOURS_PER_MONTH),
            unit="requests/hour",
        ),
        saving_step(before_usd, each * requests),
    )


def _switched_off(hosts: Sequence[Machines]) -> list[str]:
    """Return what then becomes of its machines: a group would replace instances that stop."""
    alone = [host.name for host in hosts if host.group is None]
    groups = [f"set the group {host.name} to 0 instances" for host in hosts if host.group]
    return [*([f"stop {', '.join(alone)}"] if alone else []), *groups]


def _opportunity(
    service: Service,
    hosts: Sequence[Machines],
    traffic: Traffic,
    evidence: Evidence,
    *,
    steps: tuple[Step, ...],
    before_usd: float,
    request: float,
    memory_known: bool,
) -> Opportunity:
    saving = before_usd - request * traffic.requests_per_hour * HOURS_PER_MONTH
    busy = before_usd - request * traffic.high_requests_per_hour * HOURS_PER_MONTH
    days = days_known(evidence.panel, service.service_id, Metric.REQUESTS)
    window = known_window(evidence, service.service_id, Metric.REQUESTS)
    certain = all(is_production(host.tags) is False for host in hosts)
    factor = (1.0 if memory_known else UNKNOWN_MEMORY_FACTOR) * (1.0 if certain else CAUTION_FACTOR)
    return Opportunity(
        kind=Kind.SERVERLESS,
        resource=service.service_id,
        region=service.region,
        change=f"Answer {service.service_id} by functions behind an HTTP API, then "
        f"{' and '.join(_switched_off(hosts))}.",
        target={"memory_mib": FUNCTION_MIB, "front": "HTTP API"},
        evidence_from=window[0],
        evidence_to=window[1],
        steps=steps,
        # A busy week is as likely as one that is quieter by as much.
        saving=Usd(
            low=min(busy, saving),
            expected=saving,
            high=min(2.0 * saving - min(busy, saving), before_usd),
        ),
        effort=Effort.HIGH,
        restart=True,
        reversible=True,
        disruption=0.5,
        confidence=confidence(Kind.SERVERLESS, days, factor=factor),
        notes=(
            "the code has to change: no local state, no long connections, start within seconds",
            f"at its peak about {traffic.peak_concurrency:.0f} functions at once, reckoned with "
            f"{PEAK_FACTOR:.0f} times the busiest hour's mean",
            *(() if memory_known else ("its memory is not measured",)),
            *(() if certain else ("it is or may be production: run both side by side first",)),
            "response time on the instances is taken for that of the function; first starts add "
            "to it",
            "the load balancer is not counted as saved",
        ),
    )

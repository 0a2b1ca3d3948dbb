"""A small shop: twelve workloads, 39 replicas on six nodes in three zones."""

from __future__ import annotations

from typing import Any

from deployments.embedded.workloads.manifests import manifests_of
from deployments.embedded.workloads.parts import Part
from deployments.embedded.workloads.physics.demand import DemandPattern
from deployments.embedded.workloads.physics.profiles import (
    Dependency,
    Need,
    NodeProfile,
    WorkloadProfile,
)
from deployments.embedded.workloads.physics.world import World

NAMESPACE = "shop"
GATEWAY = "payments.example.com"
MAIL = "mail.example.com"
_ZONES = ("zone-a", "zone-b", "zone-c")
_BAD_TAG, _MISSING_TAG = "2.5.0", "2.5.1-rc1"
"""A release that exits at its start, and one that was never pushed: of every workload."""


def _to(name: str, share: float, need: Need = Need.FAIL, **changes: Any) -> Dependency:
    inside = "." not in name
    return Dependency(
        name=f"{NAMESPACE}/{name}" if inside else name, share=share, need=need, **changes
    )


def _profile(name: str, keys: dict[str, str], **values: Any) -> WorkloadProfile:
    return WorkloadProfile(
        name=f"{NAMESPACE}/{name}",
        bad_tags=frozenset({_BAD_TAG}),
        missing_tags=frozenset({_MISSING_TAG}),
        required_keys=frozenset(keys),
        **values,
    )


def _part(name: str, size: tuple[int, str, str | None, str, str], keys: dict[str, str], *,
          enabled: bool = True, grace_seconds: int = 30, **values: Any) -> Part:  # fmt: skip
    replicas, cpu_request, cpu_limit, memory_request, memory_limit = size
    return Part(
        profile=_profile(name, keys, **values),
        replicas=replicas,
        image=f"registry.example.com/shop/{name}:2.4.1",
        cpu_request=cpu_request,
        cpu_limit=cpu_limit,
        memory_request=memory_request,
        memory_limit=memory_limit,
        config=tuple(sorted(keys.items())),
        enabled=enabled,
        grace_seconds=grace_seconds,
    )


def _address(name: str, port: int = 8080) -> str:
    return f"http://{name}.{NAMESPACE}.svc:{port}"


_DATABASE = {"DATABASE_URL": f"postgres://database.{NAMESPACE}.svc:5432/shop"}
_CACHE = {"CACHE_ADDRESS": f"cache.{NAMESPACE}.svc:6379"}


def _visitors(base_rps: float, peak_hour: float) -> DemandPattern:
    """Return the demand at one of the doors of the shop: people who come on the same days."""
    return DemandPattern(
        base_rps=base_rps,
        peak_hour=peak_hour,
        daily_amplitude=0.5,
        weekend_factor=0.6,
        noise_fraction=0.12,
        bursts_per_day=4.0,
        burst_factor=0.25,
        drift_fraction=0.28,
        rushes_per_day=0.3,
        rush_factor=0.5,
        crowd=NAMESPACE,
    )


PARTS: tuple[Part, ...] = (
    _part("web", (4, "250m", "1", "192Mi", "320Mi"), {"API_URL": _address("api")},
          demand=_visitors(80.0, 19.0), cpu_seconds_per_request=0.006,
          memory_base_mib=120.0, memory_mib_per_request=1.5, cache_mib=40.0,
          dependencies=(_to("api", 1.0, calls=2.0, timeout_seconds=3.0),)),
    _part("api", (6, "500m", "1500m", "256Mi", "512Mi"),
          {"CATALOGUE_URL": _address("catalogue"), "CART_URL": _address("cart"),
           "SEARCH_URL": _address("search"), "CHECKOUT_URL": _address("checkout")},
          demand=_visitors(27.0, 18.0), cpu_seconds_per_request=0.007,
          memory_base_mib=210.0, memory_mib_per_request=2.0, cache_mib=60.0, startup_seconds=14.0,
          dependencies=(_to("catalogue", 0.6, retries=1), _to("cart", 0.25), _to("search", 0.12),
                        _to("recommendations", 0.3, Need.DEGRADE, timeout_seconds=0.4),
                        _to("checkout", 0.03, timeout_seconds=5.0))),
    _part("catalogue", (5, "250m", "1", "256Mi", "512Mi"), {**_DATABASE, **_CACHE},
          cpu_seconds_per_request=0.005, memory_base_mib=190.0, cache_mib=150.0, cache_hours=3.0,
          dependencies=(_to("cache", 1.0, Need.DEGRADE, timeout_seconds=0.1),
                        _to("database", 0.15))),
    _part("cart", (4, "150m", "500m", "128Mi", "256Mi"), {**_CACHE, "CART_TTL": "7d"},
          cpu_seconds_per_request=0.003, memory_base_mib=90.0, ready_needs_dependencies=True,
          dependencies=(_to("cache", 1.0, calls=2.0, timeout_seconds=0.5),)),
    _part("search", (3, "500m", "2", "768Mi", "1536Mi"), {"INDEX_PATH": "/var/lib/index"},
          cpu_seconds_per_request=0.022, memory_base_mib=620.0, cache_mib=350.0, cache_hours=4.0,
          startup_seconds=40.0, startup_cpu_cores=1.0, warm_up_seconds=120.0, warm_up_factor=1.0,
          threads=64, disk_mib_per_hour=20.0),
    _part("recommendations", (3, "300m", "1", "512Mi", "1Gi"), {"MODEL": "als-2026-10"},
          cpu_seconds_per_request=0.009, memory_base_mib=420.0, cache_mib=180.0,
          startup_seconds=25.0, dependencies=(_to("catalogue", 0.3, Need.DEGRADE),)),
    _part("checkout", (3, "200m", "1", "256Mi", "512Mi"),
          {**_DATABASE, "PAYMENTS_URL": _address("payments"), "ORDERS_TOPIC": "orders"},
          cpu_seconds_per_request=0.018, memory_base_mib=230.0, memory_mib_per_request=3.0,
          startup_seconds=18.0,
          dependencies=(_to("cart", 1.0), _to("payments", 0.9, timeout_seconds=4.0),
                        _to("database", 1.0, Need.CRASH, calls=3.0), _to("order-worker", 0.9))),
    _part("payments", (3, "150m", "500m", "192Mi", "384Mi"),
          {**_DATABASE, "GATEWAY_URL": f"https://{GATEWAY}"}, enabled=False, grace_seconds=60,
          cpu_seconds_per_request=0.012, wait_seconds=0.02, memory_base_mib=170.0,
          live_needs_dependencies=True,
          dependencies=(_to(GATEWAY, 1.0, timeout_seconds=3.0), _to("database", 1.0, calls=2.0))),
    _part("order-worker", (3, "150m", "500m", "192Mi", "384Mi"),
          {**_DATABASE, "ORDERS_TOPIC": "orders", "SMTP_HOST": MAIL}, queue=True, threads=16,
          cpu_seconds_per_request=0.045, wait_seconds=0.03, memory_base_mib=150.0,
          memory_mib_per_request=4.0,
          dependencies=(_to("database", 1.0, Need.CRASH, calls=4.0),
                        _to(MAIL, 1.0, Need.DEGRADE, timeout_seconds=1.0))),
    _part("reports", (2, "100m", "1", "384Mi", "1Gi"), _DATABASE, queue=True, threads=4,
          demand=DemandPattern(base_rps=0.15, daily_amplitude=0.2, peak_hour=3.0,
                               bursts_per_day=24.0, burst_factor=8.0),
          cpu_seconds_per_request=0.9, memory_base_mib=220.0, memory_mib_per_request=90.0,
          disk_mib_per_hour=60.0, disk_retention_hours=6.0,
          dependencies=(_to("database", 1.0, calls=12.0, timeout_seconds=10.0),)),
    _part("cache", (2, "250m", "1", "768Mi", "1Gi"), {"MAXMEMORY": "700mb"},
          cpu_seconds_per_request=0.00025, wait_seconds=0.0003, memory_base_mib=60.0,
          memory_mib_per_request=0.1, cache_mib=680.0, cache_hours=1.5, threads=4_000,
          startup_seconds=3.0, warm_up_factor=0.0),
    _part("database", (1, "1", "3", "2Gi", "4Gi"), {"POSTGRES_DB": "shop"}, enabled=False,
          grace_seconds=120, cpu_seconds_per_request=0.0025, wait_seconds=0.001,
          memory_base_mib=900.0, memory_mib_per_request=8.0, cache_mib=1_500.0, cache_hours=6.0,
          threads=200, startup_seconds=20.0, volume_mib=51_200.0, volume_reads_per_request=1.2,
          disk_mib_per_hour=40.0, disk_retention_hours=500.0),
)  # fmt: skip
"""Who calls whom, what a request costs, and what each was given; requests fit the evening's peak."""


def demonstration_nodes() -> tuple[NodeProfile, ...]:
    """Return six nodes of 4 cores and 16 GiB, two in each zone."""
    return tuple(NodeProfile(name=f"node-{at + 1}", zone=_ZONES[at % 3]) for at in range(6))


def demonstration_world(*, seed: int = 20_261_101) -> World:
    """Return the world of the shop."""
    return World.of([part.profile for part in PARTS], demonstration_nodes(), seed=seed)


def demonstration_manifests() -> tuple[dict[str, Any], ...]:
    """Return what its owners would apply: namespace, ConfigMaps, Deployments, Services and so on."""
    return manifests_of(PARTS)

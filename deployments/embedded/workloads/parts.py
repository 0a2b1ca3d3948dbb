"""A part of a demonstration: a workload's profile, and how its owner has it deployed."""

from __future__ import annotations

from dataclasses import dataclass

from deployments.embedded.workloads.physics.profiles import WorkloadProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One workload as its owner writes it.

    Attributes:
        profile: How it behaves.
        replicas: Of its Deployment, 0 to 1,000.
        image: With a tag.
        cpu_request: Kubernetes quantity.
        cpu_limit: The same; None for no limit.
        memory_request: The same.
        memory_limit: The same.
        config: Keys and values of its ConfigMap; the program reads each through its environment.
        enabled: Its owner lets it be healed: annotation autonomous/enabled.
        liveness_timeout_seconds: Of one probe, whole.
        grace_seconds: Between the request to end and the kill.
    """

    profile: WorkloadProfile
    replicas: int
    image: str
    cpu_request: str
    cpu_limit: str | None
    memory_request: str
    memory_limit: str
    config: tuple[tuple[str, str], ...] = ()
    enabled: bool = True
    liveness_timeout_seconds: int = 2
    grace_seconds: int = 30

    @property
    def namespace(self) -> str:
        """Return the namespace of its profile."""
        return self.profile.name.split("/")[0]

    @property
    def name(self) -> str:
        """Return the name of its Deployment."""
        return self.profile.name.split("/")[1]

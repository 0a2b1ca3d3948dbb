"""Detectors of many workloads, one each, as the healing loop holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tasks.domain.anomalies.alarms import Alarm, Sample
from tasks.domain.anomalies.workload import DEFAULT, Settings, Status, WorkloadDetector
from tasks.domain.errors import PermanentError

SCHEMA_VERSION = 1


class DetectorBank:
    """One detector per workload, made when the workload is first seen.

    Args:
        settings: The same for every workload.
    """

    def __init__(self, settings: Settings = DEFAULT) -> None:
        self.settings = settings
        self._detectors: dict[str, WorkloadDetector] = {}

    def __len__(self) -> int:
        """Return the number of workloads known."""
        return len(self._detectors)

    def update_all(self, samples: Mapping[str, Sample]) -> list[Alarm]:
        """Take one step of some workloads; returns their alarms, most severe first, then by name."""
        found = []
        for workload, sample in samples.items():
            detector = self._detectors.get(workload)
            if detector is None:
                detector = self._detectors[workload] = WorkloadDetector(self.settings)
            alarm = detector.update(sample)
            if alarm is not None:
                found.append(replace(alarm, workload=workload))
        return sorted(found, key=lambda one: (-one.severity, one.workload or ""))

    def status(self, workload: str) -> Status | None:
        """Return what is going on in a workload; None where it was never seen."""
        detector = self._detectors.get(workload)
        return None if detector is None else detector.status

    def forget(self, workload: str) -> None:
        """Drop what is known of a workload; one that was never seen is no error."""
        self._detectors.pop(workload, None)

    def to_state(self) -> dict[str, Any]:
        """Return everything but the settings as plain values."""
        return {
            "schema_version": SCHEMA_VERSION,
            "workloads": {name: one.to_state() for name, one in self._detectors.items()},
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any], settings: Settings = DEFAULT) -> DetectorBank:
        """Return what `to_state` described.

        Raises:
            PermanentError: It was written by another version.
        """
        if state["schema_version"] != SCHEMA_VERSION:
            message = (
                f"detectors of version {state['schema_version']} found, {SCHEMA_VERSION} expected: "
                "drop them, they learn anew in two days"
            )
            raise PermanentError(message)
        found = cls(settings)
        found._detectors = {
            name: WorkloadDetector.from_state(one, settings)
            for name, one in state["workloads"].items()
        }
        return found

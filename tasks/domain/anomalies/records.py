"""Alarms as plain values and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tasks.domain.anomalies.alarms import Alarm, Kind, Reason, Remedy, Signal


def alarm_to_state(alarm: Alarm) -> dict[str, Any]:
    """Return an alarm as plain values."""
    return {
        "at": alarm.at.isoformat(),
        "kind": str(alarm.kind),
        "severity": alarm.severity,
        "reasons": [
            [str(one.signal), one.value, one.expected, one.distance] for one in alarm.reasons
        ],
        "remedy": str(alarm.remedy),
        "after_deploy": alarm.after_deploy,
    }


def alarm_from_state(state: Mapping[str, Any]) -> Alarm:
    """Return the alarm that `alarm_to_state` described."""
    return Alarm(
        at=datetime.fromisoformat(state["at"]),
        kind=Kind(state["kind"]),
        severity=state["severity"],
        reasons=tuple(
            Reason(signal=Signal(name), value=value, expected=expected, distance=distance)
            for name, value, expected, distance in state["reasons"]
        ),
        remedy=Remedy(state["remedy"]),
        after_deploy=state["after_deploy"],
    )

"""A changed resource beside the untouched ones that it is compared with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.savings.money import HOURS_PER_WEEK
from tasks.domain.savings.realised.comparison import (
    Prediction,
    covariance,
    interrupted,
    predicted,
    scales,
)
from tasks.domain.savings.realised.controls import candidates
from tasks.domain.savings.realised.deviations import (
    Deviations,
    deviations,
    mean_known,
    usual_week,
)
from tasks.domain.savings.realised.values import CostPanel
from tasks.domain.savings.realised.windows import HOURS_PER_DAY, Window

LEAST_CONTROLS = 2
"""Below it a resource is compared with itself alone."""
MOST_CONTROLS = 60
"""The most alike; more say hardly anything new, and their placebos cost time."""
STEADY_CONTROLS = 10
"""Steady resources needed to tell how often such ones change by themselves."""
LONGEST_PLACEBO_DAYS = 14
BASE_WEEKS = 2
"""Of an earlier stretch, where four weeks are known; one otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Group:
    """A changed resource, in row 0, and its controls.

    Attributes:
        names: (n,) series.
        peers: (n,) what each is alike with, "" for nothing known.
        usd: (n, hours) of the panel.
        found: (n,) deviations in the window.
        scale: (n,) how far each deviates in the long run.
    """

    names: tuple[str, ...]
    peers: tuple[str, ...]
    usd: FloatArray
    found: Deviations
    scale: FloatArray

    @property
    def alone(self) -> bool:
        """Whether there are too few controls."""
        return len(self.names) - 1 < LEAST_CONTROLS

    @property
    def steady(self) -> bool:
        """Whether the changed resource cost the same all the time before."""
        return bool(self.scale[0] == 0.0)

    def take(self, rows: list[int]) -> Group:
        """Return some rows."""
        return Group(
            names=tuple(self.names[row] for row in rows),
            peers=tuple(self.peers[row] for row in rows),
            usd=self.usd[rows],
            found=self.found.take(rows),
            scale=self.scale[rows],
        )


def group_of(series: str, panel: CostPanel, window: Window) -> Group:
    """Return a changed resource with the controls that are most like it.

    What is steady is compared with what is steady, and what moves with what moves: the one says
    nothing of the other. Among those, likeness is the correlation of what is left when each hour
    of the week has its mean taken out, and being peers.

    Args:
        series: Of the changed resource; known on both sides.
        panel: Costs.
        window: Long enough on both sides.

    Returns:
        At most 60 controls; none where there are fewer than two.
    """
    whole = _everything(series, panel, window)
    alike = [row for row in range(1, len(whole.names)) if (whole.scale[row] == 0.0) == whole.steady]
    if len(alike) < LEAST_CONTROLS:
        return whole.take([0])
    return whole.take([0, *_most_alike(whole, alike)])


def prediction_for(group: Group, window: Window) -> Prediction:
    """Return by how much the changed resource would have deviated without the change."""
    if group.steady:
        return _gone_on(group)
    scale = float(group.scale[0])
    earlier = _earlier(group, window)
    if group.alone:
        return interrupted(earlier, scale=scale)
    spread = covariance(group.found, group.peers)
    return predicted(group.found.after / group.scale, spread, earlier, scale=scale)


def _everything(series: str, panel: CostPanel, window: Window) -> Group:
    others = np.flatnonzero(candidates(panel, series, window)).tolist()
    rows = [panel.position[series], *others]
    found = deviations(panel.usd[rows], window)
    names = tuple(panel.series[row] for row in rows)
    return Group(
        names=names,
        peers=tuple(panel.peers.get(name, "") for name in names),
        usd=panel.usd[rows],
        found=found,
        scale=scales(found),
    )


def _most_alike(group: Group, rows: list[int]) -> list[int]:
    if len(rows) <= MOST_CONTROLS:
        return rows
    likeness = group.found.likeness(rows)
    peer = np.array([group.peers[row] == group.peers[0] != "" for row in rows], dtype=np.float64)
    best = np.argsort(-(likeness + peer), kind="stable")[:MOST_CONTROLS]
    return [rows[at] for at in sorted(best.tolist())]


def _gone_on(group: Group) -> Prediction:
    """Return that what never changed would have gone on, as surely as others like it did."""
    others = np.abs(group.found.after[1:])
    usual = float(np.quantile(others, 0.9)) if len(others) >= STEADY_CONTROLS else 0.0
    return Prediction(deviation=0.0, half_width=usual, order=tuple(range(len(others))))


def _earlier(group: Group, window: Window) -> list[FloatArray]:
    """Return scaled deviations in stretches before the change, as long as the one after it."""
    days = min(window.days_after, LONGEST_PLACEBO_DAYS)
    weeks = BASE_WEEKS if window.days_before >= 2 * 7 * BASE_WEEKS else 1
    base = weeks * HOURS_PER_WEEK
    found = []
    for end in range(window.before_to, window.before_from, -days * HOURS_PER_DAY):
        begin = end - days * HOURS_PER_DAY
        if begin - base < window.before_from:
            break
        usual = usual_week(group.usd[:, begin - base : begin])
        hour = np.arange(end - begin) % HOURS_PER_WEEK
        gap = mean_known(group.usd[:, begin:end] - usual[:, hour])
        found.append(np.nan_to_num(gap / group.found.level / group.scale))
    return found

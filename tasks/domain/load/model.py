"""A fitted model of one kind of load, and its form in storage: text, numbers and arrays only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

import lightgbm as lgb
import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.errors import PermanentError
from tasks.domain.load.cold_start import ANY, ArchetypeProfile, ArchetypeProfiles
from tasks.domain.load.combine import BANDS, GROUPS, Blend
from tasks.domain.load.features import ANCHORS, NAIVES
from tasks.domain.load.forecasts import QUANTILES
from tasks.domain.load.global_linear import RuleWeights
from tasks.domain.load.global_model import TAILS, GlobalModel
from tasks.domain.load.intervals import Widths
from tasks.domain.load.own_record import SPANS, OwnRecords
from tasks.domain.load.panel import DAY, HOUR, Load
from tasks.domain.load.rehearsal import KNOWN_HOURS, RANGE_ENDS

StateValue: TypeAlias = str | int | float | bool | list[str] | FloatArray | None
State: TypeAlias = dict[str, StateValue]

SCHEMA = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadModel:
    """What `fit_load_model` returns.

    Attributes:
        load: What it forecasts.
        step: Of the panels that it forecasts.
        horizon_steps: Longest horizon.
        clock: Whether it reads the hour of the day and of the week.
        closing: Whether it reads how hours closed.
        trees: None where there was too little history for any: naive rules are used.
        blend: How far each group believes it.
        own: And each of the series that it was fitted to.
        widths: Of its intervals, and how often they held.
        cases: It was trained on so many.
        profiles: What its archetypes do, for series younger than two days; None where too few series
            were known for two days: naive rules are used.
    """

    load: Load
    step: timedelta
    horizon_steps: int
    clock: bool
    closing: bool
    trees: GlobalModel | None
    blend: Blend
    own: OwnRecords
    widths: Widths
    cases: int
    profiles: ArchetypeProfiles | None

    @property
    def horizon_hours(self) -> int:
        """Whole hours that the horizon needs."""
        return -(-self.horizon_steps // (HOUR // self.step))

    def to_state(self) -> State:
        """Return the model as text, numbers, lists of text and arrays; nothing needs unpickling."""
        found: State = {
            "schema": SCHEMA,
            "load": self.load.value,
            "step_seconds": int(self.step.total_seconds()),
            "horizon_steps": self.horizon_steps,
            "clock": self.clock,
            "closing": self.closing,
            "cases": self.cases,
            "shares": self.blend.shares,
            "series": list(self.own.series),
            "own_shares": self.own.shares,
            "factors": self.widths.factors,
            "coverage": self.widths.coverage,
            "anchors": None,
            "archetypes": None,
        }
        if self.trees is not None:
            found |= {
                "anchors": list(self.trees.anchors),
                "rules": self.trees.rules.weights,
                "members": [_text(one) for one in self.trees.members],
                "tails": [_text(one) for one in self.trees.tails],
            }
        if self.profiles is not None:
            found |= _profiles_state(self.profiles)
        return found


def _profiles_state(profiles: ArchetypeProfiles) -> State:
    each = list(profiles.by_name.values())
    return {
        "archetypes": list(profiles.by_name),
        "archetypes_end": None if profiles.end is None else profiles.end.isoformat(),
        "archetypes_steps": profiles.steps,
        "archetype_series": np.array([float(one.series) for one in each]),
        "archetype_level": np.array([one.level for one in each]),
        "archetype_shape": np.stack([one.shape for one in each]),
        "archetype_carry": np.stack([one.carry for one in each]),
        "archetype_own": np.stack([one.own for one in each]),
        "archetype_quantiles": np.stack([one.quantiles for one in each]),
        "archetype_coverage": np.stack([one.coverage for one in each]),
    }


def load_model_from_state(state: Mapping[str, StateValue]) -> LoadModel:
    """Return the model that was stored; its forecasts are equal bit for bit.

    Raises:
        PermanentError: When something is missing or impossible.
    """
    try:
        return _model(state)
    except (KeyError, ValueError, TypeError, AttributeError, lgb.basic.LightGBMError) as error:
        msg = f"the stored load model cannot be read ({error!r}); use the one before, or retrain"
        raise PermanentError(msg) from error


def _model(state: Mapping[str, StateValue]) -> LoadModel:
    if state["schema"] != SCHEMA:
        msg = f"schema {state['schema']}, this version reads {SCHEMA}"
        raise ValueError(msg)
    shape = (len(GROUPS), BANDS)
    return LoadModel(
        load=Load(str(state["load"])),
        step=timedelta(seconds=_whole(state["step_seconds"])),
        horizon_steps=_whole(state["horizon_steps"]),
        clock=bool(state["clock"]),
        closing=bool(state["closing"]),
        trees=None if state["anchors"] is None else _trees(state),
        blend=Blend(shares=_array(state["shares"], (*shape, len(NAIVES)))),
        own=_own(state),
        widths=Widths(
            factors=_array(state["factors"], shape),
            coverage=_array(state["coverage"], shape[:1]),
        ),
        cases=_whole(state["cases"]),
        profiles=None if state["archetypes"] is None else _profiles(state),
    )


def _profiles(state: Mapping[str, StateValue]) -> ArchetypeProfiles:
    names = _texts(state["archetypes"])
    step = timedelta(seconds=_whole(state["step_seconds"]))
    cells = (len(names), len(KNOWN_HOURS), len(RANGE_ENDS))
    series = _array(state["archetype_series"], (len(names),))
    level = _array(state["archetype_level"], (len(names),))
    shape = _array(state["archetype_shape"], (len(names), DAY // step))
    carry, own = (_array(state[f"archetype_{what}"], cells) for what in ("carry", "own"))
    quantiles = _array(state["archetype_quantiles"], (*cells, len(QUANTILES)))
    coverage = _array(state["archetype_coverage"], cells[:2])
    possible = (
        ANY in names and len(set(names)) == len(names),
        bool((series >= 1.0).all() and (level > 0.0).all() and (shape >= 0.0).all()),
        bool(((carry >= 0.0) & (carry <= 1.0) & (own >= 0.0) & (own <= 1.0)).all()),
        bool((np.diff(quantiles) >= 0.0).all()),
        not bool(((coverage < 0.0) | (coverage > 1.0)).any()),
        all(np.isfinite(one).all() for one in (series, level, shape, quantiles)),
    )
    if not all(possible):
        msg = f"profiles of {len(names)} archetypes hold impossible values {possible}"
        raise ValueError(msg)
    end = state["archetypes_end"]
    return ArchetypeProfiles(
        step=step,
        end=None if end is None else _instant(end),
        steps=_whole(state["archetypes_steps"]),
        by_name={
            name: ArchetypeProfile(
                shape=shape[at],
                level=float(level[at]),
                carry=carry[at],
                own=own[at],
                quantiles=quantiles[at],
                coverage=coverage[at],
                series=int(series[at]),
            )
            for at, name in enumerate(names)
        },
    )


def _instant(value: StateValue) -> datetime:
    found = datetime.fromisoformat(str(value))
    if found.tzinfo is None:
        msg = f"expected an instant with its offset from UTC, found {value!r}"
        raise ValueError(msg)
    return found


def _trees(state: Mapping[str, StateValue]) -> GlobalModel:
    anchors = _texts(state["anchors"])
    members, tails = _boosters(state["members"]), _boosters(state["tails"])
    unknown = set(anchors) - set(ANCHORS)
    if unknown or len(members) != len(anchors) or len(tails) != len(TAILS):
        msg = f"{len(members)} members, {len(tails)} tails, anchors {anchors}"
        raise ValueError(msg)
    rules = np.asarray(state["rules"], dtype=np.float64)
    if rules.ndim != 2 or len(rules) != BANDS:
        msg = f"rules have shape {rules.shape}"
        raise ValueError(msg)
    return GlobalModel(
        rules=RuleWeights(weights=rules), anchors=tuple(anchors), members=members, tails=tails
    )


def _own(state: Mapping[str, StateValue]) -> OwnRecords:
    series = tuple(_texts(state["series"]))
    shape = (len(series), len(SPANS) + 1, len(NAIVES))
    return OwnRecords(series=series, shares=_array(state["own_shares"], shape))


def _boosters(texts: StateValue) -> tuple[lgb.Booster, ...]:
    return tuple(lgb.Booster(model_str=text) for text in _texts(texts))


def _text(booster: lgb.Booster) -> str:
    return str(booster.model_to_string())


def _texts(value: StateValue) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        msg = f"expected a list of texts, found {type(value).__name__}"
        raise TypeError(msg)
    return value


def _whole(value: StateValue) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        msg = f"expected a whole number, found {value!r}"
        raise ValueError(msg)
    return value


def _array(value: StateValue, shape: tuple[int, ...]) -> FloatArray:
    found = np.asarray(value, dtype=np.float64)
    if found.shape != shape:
        msg = f"expected an array of shape {shape}, found {found.shape}"
        raise ValueError(msg)
    return found

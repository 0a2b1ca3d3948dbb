"""A preview for machines, and as rows for the Prefect UI."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping

from tasks.domain.stacks.lines import MOST_DIFFS, by_danger, word
from tasks.domain.stacks.preview import CostDelta, Preview, PropertyDiff, ResourceChange, Source
from tasks.domain.stacks.shown import MOST_SHOWN, masked, plain, value_text

MOST_TABLE_ROWS = 200


def preview_rows(preview: Preview) -> list[dict[str, object]]:
    """Return a table of what is done, worst first; the last row counts what it has no room for."""
    costs = {one.name: one for one in preview.costs}
    acting = sorted(preview.acting, key=by_danger)
    rows = [_table_row(one, costs.get(one.name)) for one in acting[:MOST_TABLE_ROWS]]
    if len(acting) > MOST_TABLE_ROWS:
        rows.append({**dict.fromkeys(rows[0]), "resource": f"{len(acting) - MOST_TABLE_ROWS} more"})
    return rows


def _table_row(one: ResourceChange, cost: CostDelta | None) -> dict[str, object]:
    unknown = cost is not None and cost.delta_usd is None
    delta = None if cost is None else cost.delta_usd
    return {
        "resource": plain(one.name),
        "operation": word(one),
        "USD/month": "unknown" if unknown else None if delta is None else round(delta, 2) + 0.0,
        "what changes": "; ".join(_difference(diff) for diff in one.diffs[:MOST_DIFFS]),
        "before USD": None if cost is None else cost.before_usd and round(cost.before_usd, 2),
        "after USD": None if cost is None else cost.after_usd and round(cost.after_usd, 2),
        "arithmetic": "" if cost is None else plain(cost.basis),
        "type": plain(one.token),
        "id": plain(one.resource_id or ""),
    }


def _difference(diff: PropertyDiff) -> str:
    before, after = (
        plain(value_text(masked(value, path=diff.path)), most=MOST_SHOWN)
        for value in (diff.before, diff.after)
    )
    return f"{plain(diff.path)}: {before} to {after}"


def preview_json(preview: Preview) -> str:
    """Return a preview as JSON, ASCII, in an order that does not depend on the run."""
    document = {
        "stack": preview.stack,
        "region": preview.region,
        "phase": preview.phase,
        "source": preview.source,
        "approvable": preview.source is Source.ENGINE
        and not any(one.mandatory for one in preview.findings),
        "engine": preview.engine,
        "program_sha256": preview.program_sha256,
        "state_serial": preview.state_serial,
        "delta_usd_per_month": round(preview.delta_usd, 4) + 0.0,
        "unpriced": sorted(preview.unpriced),
        "operations": dict(sorted(Counter(one.operation for one in preview.changes).items())),
        "resources": [_document(one) for one in sorted(preview.changes, key=by_danger)],
        "drift": [_document(one) for one in sorted(preview.drift, key=by_danger)],
        "costs": [
            {
                "name": one.name,
                "before_usd": one.before_usd,
                "after_usd": one.after_usd,
                "delta_usd": one.delta_usd,
                "basis": one.basis,
            }
            for one in sorted(preview.costs, key=lambda one: one.name)
        ],
        "findings": [
            {
                "rule": one.rule,
                "resource": one.resource,
                "message": one.message,
                "mandatory": one.mandatory,
            }
            for one in sorted(
                preview.findings, key=lambda one: (not one.mandatory, one.rule, one.resource)
            )
        ],
        "notes": preview.notes,
    }
    return json.dumps(_finite(document), indent=2, sort_keys=True, allow_nan=False) + "\n"


def _document(one: ResourceChange) -> dict[str, object]:
    inputs = one.inputs_after
    return {
        "name": one.name,
        "token": one.token,
        "urn": one.urn,
        "operation": one.operation,
        "id": one.resource_id,
        "protected": one.protected,
        "diffs": [
            {
                "path": diff.path,
                "before": masked(diff.before, path=diff.path),
                "after": masked(diff.after, path=diff.path),
                "replaces": diff.replaces,
            }
            for diff in sorted(one.diffs, key=lambda diff: diff.path)
        ],
        "inputs": None if inputs is None else masked(inputs, path=""),
    }


def _finite(value: object) -> object:
    """Return a document without numbers that JSON does not have."""
    if isinstance(value, Mapping):
        return {str(key): _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value

"""What stands at the top of a preview's page: dangers, money, and what stops it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from tasks.domain.savings.report import usd
from tasks.domain.stacks.changes import Change, Phase
from tasks.domain.stacks.lines import DANGERS, ORDER, by_danger, is_dangerous, kind, word
from tasks.domain.stacks.preview import Preview, ResourceChange
from tasks.domain.stacks.shown import code

MOST_NAMED = 10
CENT, DOLLAR, SHARE = 0.01, 1.0, 0.01
"""An amount tells the same as another within half a cent, or within a dollar and one percent."""


def warning(preview: Preview) -> str:
    """Return what is deleted, made anew or bought; empty where nothing is."""
    dangerous = sorted(filter(is_dangerous, preview.acting), key=by_danger)
    if not dangerous:
        return ""
    lines = [
        f"- {worded(one)} {code(one.name)} ({kind(one.token)}){_because(one)}{_refused(one)}"
        for one in dangerous[:MOST_NAMED]
    ]
    if len(dangerous) > MOST_NAMED:
        lines.append(f"- and {len(dangerous) - MOST_NAMED} more")
    count = Counter(word(one) for one in dangerous)
    what = ", ".join(
        f"{count[one]} {noun}{'s' if count[one] > 1 else ''}"
        for one, noun in DANGERS.items()
        if count[one]
    )
    return f"## WARNING: {what}\n\n" + "\n".join(lines)


def _refused(one: ResourceChange) -> str:
    takes = word(one) in ("DELETE", "REPLACE")
    return "; the engine refuses: it is protected" if takes and one.protected else ""


def worded(one: ResourceChange) -> str:
    """Return an operation's word, which stands out where it is a danger."""
    return f"**{word(one)}**" if is_dangerous(one) else word(one)


def _because(one: ResourceChange) -> str:
    paths = [code(diff.path) for diff in one.diffs if diff.replaces]
    return f", for {', '.join(paths[:3])}" if paths else ""


def headline(preview: Preview) -> str:
    """Return what it costs or saves at list prices, what is not known, and how much is done."""
    known = [one for one in preview.costs if one.delta_usd is not None]
    before = math.fsum(one.before_usd or 0.0 for one in known)
    after = math.fsum(one.after_usd or 0.0 for one in known)
    said = f"{_difference_said(preview.delta_usd)}: {usd(before)} before, {usd(after)} after."
    if not known:
        said = "**What it costs is not known.**" if preview.costs else "Nothing in it has a price."
    return f"{said}{_unpriced(preview)} {_counts(preview)}"


def net_savings(preview: Preview, changes: Sequence[Change]) -> str:
    """Return what the opportunities say, where that is another amount than the preview's.

    A preview multiplies list prices. An opportunity takes off what plans and reservations pay for
    already, and what another change of the same resource saves: people must not take one for the
    other.

    Args:
        preview: Of the change; another phase does not save what the changes do.
        changes: Of the stack.
    """
    if preview.phase is not Phase.CHANGE or not changes:
        return ""
    savings = [one.saving for one in changes]
    net = math.fsum(one.expected for one in savings)
    if _tells_the_same(net, -preview.delta_usd):
        return ""
    return (
        "At list prices. Net of commitments and of other changes the opportunities say "
        f"{usd(net)} a month ({usd(math.fsum(one.low for one in savings))} to "
        f"{usd(math.fsum(one.high for one in savings))})."
    )


def _tells_the_same(net_usd: float, listed_usd: float) -> bool:
    apart = abs(net_usd - listed_usd)
    return apart < CENT / 2 or (apart <= DOLLAR and apart <= SHARE * abs(listed_usd))


def _difference_said(delta_usd: float) -> str:
    if abs(delta_usd) < CENT / 2:
        return "**Costs as much as before**"
    if delta_usd < 0.0:
        return f"**Saves {usd(-delta_usd)} a month**"
    return f"**Costs {usd(delta_usd)} a month more**"


def _unpriced(preview: Preview) -> str:
    if not preview.unpriced:
        return ""
    named = ", ".join(code(name) for name in preview.unpriced[:MOST_NAMED])
    more = len(preview.unpriced) - MOST_NAMED
    rest = f" and {more} more" if more > 0 else ""
    return f" Not known, and in no total: {named}{rest}."


def _counts(preview: Preview) -> str:
    count = Counter(one.operation for one in preview.changes)
    said = ", ".join(f"{count[one]} {one}" for one in ORDER if count[one])
    return f"Resources: {said or 'none'}."


def blocked(preview: Preview) -> str:
    """Return which rules stop it; empty where none does."""
    broken = [one for one in preview.findings if one.mandatory]
    if not broken:
        return ""
    rules = ", ".join(sorted({code(one.rule) for one in broken}))
    times = "a rule is broken" if len(broken) == 1 else f"rules are broken {len(broken)} times"
    return f"**Not to be applied**: {times} ({rules})."

"""The newest values as text that a Prometheus can scrape (exposition format 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from deployments.embedded.prometheus.labels import Labels
from deployments.embedded.prometheus.promql.queries import number
from deployments.embedded.prometheus.samples import Samples

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ESCAPED = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_PARTS = ("_bucket", "_sum", "_count")


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What a metric is.

    Attributes:
        kind: counter, gauge or histogram.
        text: One sentence, with its unit.
    """

    kind: str
    text: str


def exposition(samples: Samples, described: Mapping[str, Described]) -> str:
    """Return the newest value of each series that has not ended, with its time.

    With times, whoever scrapes knows the same numbers for the same instants as `samples` does, and not
    some time later; one scrape more is the same sample again.

    Args:
        samples: To read.
        described: By name of the metric; a histogram by the name its parts share. Others are untyped.
    """
    return "".join(_lines(samples, described))


def _lines(samples: Samples, described: Mapping[str, Described]) -> Iterator[str]:
    told = ""
    for name, (series, values) in sorted(samples.newest().items()):
        base = _base(name, described)
        known = described.get(base)
        if known is not None and base != told:
            told = base
            text = known.text.replace("\\", r"\\").replace("\n", r"\n")
            yield f"# HELP {base} {text}\n# TYPE {base} {known.kind}\n"
        when = samples.newest_time(name)
        for labels, value in zip(series, values.tolist(), strict=True):
            yield f"{name}{_shown(labels)} {number(value)} {when}\n"


def _base(name: str, described: Mapping[str, Described]) -> str:
    for part in _PARTS:
        base = name.removesuffix(part)
        if base != name and base in described:
            return base
    return name


def _shown(labels: Labels) -> str:
    pairs = ",".join(f'{name}="{value.translate(_ESCAPED)}"' for name, value in labels)
    return f"{{{pairs}}}" if pairs else ""

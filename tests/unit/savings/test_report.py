"""The savings report, from a small selection written by hand."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tasks.adapters.documents import from_json, to_json
from tasks.domain.savings.money import Usd
from tasks.domain.savings.opportunity import Effort, Kind, Opportunity, Rejection, Step
from tasks.domain.savings.report import (
    MOST_ROWS,
    SavingsDocument,
    audit_markdown,
    opportunity_rows,
    rejection_rows,
    summary_markdown,
    usd,
)
from tasks.domain.savings.selection.selection import Chosen, CommitmentLevel

GOLDEN = Path(__file__).parents[2] / "golden" / "savings_report.md"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def chosen(kind: Kind, resource: str, *, net: float, alone: float) -> Chosen:
    opportunity = Opportunity(
        kind=kind,
        resource=resource,
        region="us-east-1",
        change=f"Change {resource} from m5.xlarge to m5.large.",
        target={"instance_type": "m5.large"},
        evidence_from=NOW - timedelta(days=28),
        evidence_to=NOW,
        steps=(
            Step(what="today", formula="0.192 USD/h | 730 h", value=140.16, unit="USD/month"),
            Step(what="saving", formula="140.16 - 70.08", value=alone, unit="USD/month"),
        ),
        saving=Usd.exactly(alone),
        effort=Effort.LOW,
        restart=kind is Kind.RIGHT_SIZE,
        reversible=True,
        disruption=0.3,
        confidence=0.83,
        notes=("Memory is not measured.",) if kind is Kind.RIGHT_SIZE else (),
    )
    return Chosen(
        opportunity=opportunity,
        net=Usd(low=0.9 * net, expected=net, high=1.1 * net),
        alone=Usd.exactly(alone),
        line=f"{kind} {resource}",
    )


def document() -> SavingsDocument:
    return SavingsDocument(
        observed_at=NOW,
        evidence_days=28,
        before_usd=1000.0,
        after_usd=850.0,
        saving=Usd(low=130.0, expected=150.0, high=165.0),
        chosen=(
            chosen(Kind.RIGHT_SIZE, "i-1", net=100.0, alone=120.0),
            chosen(Kind.VOLUME_TYPE, "vol-1", net=50.0, alone=50.0),
        ),
        rejected=(
            Rejection(kind=Kind.SPOT, resource="i-2", region="us-east-1", why="It is a single."),
        ),
        unknown=tuple(f"i-{n} (us-east-1): no price of m9.large" for n in (8, 9, 10, 11)),
        commitment=CommitmentLevel(
            usd_per_hour=0.5,
            existing_usd_per_hour=0.1,
            floor_usd_per_hour=0.7,
            coverage=0.62,
            utilisation=0.98,
            break_even_use=0.73,
        ),
        gap_usd=0.0,
        names={"i-1": "api"},
    )


def test_the_report_reads_as_agreed() -> None:
    spend = "## Cost\n\nMonth to date: $420."
    parts = (summary_markdown(document(), spend=spend, quoted_at="AWS"), audit_markdown(document()))
    text = "\n\n---\n\n".join(parts) + "\n"
    if os.environ.get("REGENERATE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


def test_rows_lead_with_what_fits_a_terminal() -> None:
    (first, _) = opportunity_rows(document())

    assert list(first)[:4] == ["resource", "kind", "net USD/month", "change"]
    assert (first["resource"], first["id"]) == ("api", "i-1")
    assert (first["net USD/month"], first["alone USD/month"]) == (100.0, 120.0)


def test_what_is_not_proposed_says_why() -> None:
    assert rejection_rows(document())[0]["why not"] == "It is a single."


def test_no_kind_pushes_another_out_of_the_table_and_the_rest_is_counted() -> None:
    many = tuple(
        Rejection(kind=kind, resource=f"i-{n}", region="us-east-1", why="no")
        for kind in (Kind.RIGHT_SIZE, Kind.SPOT)
        for n in range(300 if kind is Kind.RIGHT_SIZE else 20)
    )
    rows = rejection_rows(replace(document(), rejected=many))

    assert sum(row["kind"] == "spot" for row in rows) == 20
    assert len(rows) == MOST_ROWS + 1
    assert str(rows[-1]["resource"]).startswith("120 more")


def test_more_opportunities_than_a_table_takes_are_counted() -> None:
    one = chosen(Kind.STOP, "i-1", net=5.0, alone=5.0)
    rows = opportunity_rows(replace(document(), chosen=(one,) * (MOST_ROWS + 3)))

    assert str(rows[-1]["resource"]).startswith("3 more")


def test_nothing_found_is_said_and_not_an_empty_table() -> None:
    nothing = replace(document(), chosen=(), commitment=None, saving=Usd.exactly(0.0))

    assert "Nothing worth proposing" in summary_markdown(nothing, spend="", quoted_at="AWS")


def test_a_bill_of_nothing_is_not_divided_by() -> None:
    empty = replace(document(), before_usd=0.0, after_usd=0.0, saving=Usd.exactly(0.0), chosen=())

    assert "0% of the $0.00" in summary_markdown(empty, spend="", quoted_at="AWS")


def test_a_document_comes_back_from_storage_equal() -> None:
    assert from_json(SavingsDocument, to_json(SavingsDocument, document())) == document()


def test_amounts_have_cents_below_ten_dollars_only() -> None:
    assert [usd(x) for x in (0.0, 9.994, 10.0, 1234.5, -3.0)] == [
        "$0.00",
        "$9.99",
        "$10",
        "$1,234",
        "-$3.00",
    ]

"""Bills, computed by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tasks.domain.errors import PermanentError
from tasks.domain.instances import Architecture, InstanceShape, Offer
from tasks.domain.inventory import Commitment, CommitmentKind
from tasks.domain.savings.bill import Ledger, Line, Spend, class_of, monthly_bill
from tasks.domain.savings.cover import NO_COVER, Cover, existing_cover
from tasks.domain.savings.money import PriceBook

NOW = datetime(2026, 3, 2, tzinfo=UTC)
ALWAYS = np.ones(168)


def on_demand(usd: float, *, ratio: float | None = 0.7, scope: str = "") -> Spend:
    return Spend(lines=(Line(usd_per_hour=usd, running=ALWAYS, plan_ratio=ratio, scope=scope),))


def test_an_instance_that_always_runs_costs_730_hours() -> None:
    bill = monthly_bill([on_demand(0.1), Spend(other_usd=8.0)])
    assert bill.usd == pytest.approx(81.0)
    assert bill.coverage == 0.0
    assert bill.utilisation is None


def test_an_unused_commitment_is_paid_all_the_same() -> None:
    bill = monthly_bill([], cover=Cover(everywhere_usd_per_hour=1.0, paid_usd_per_hour=1.0))
    assert bill.usd == pytest.approx(730.0)
    assert bill.utilisation == 0.0
    assert bill.coverage is None


def test_a_plan_covers_on_demand_spend_at_its_rate() -> None:
    bill = monthly_bill([on_demand(1.0, ratio=0.7)], commitment_usd_per_hour=0.35)
    assert bill.on_demand_usd == pytest.approx(0.5 * 730)
    assert bill.usd == pytest.approx((0.5 + 0.35) * 730)
    assert bill.coverage == pytest.approx(0.5)


def test_the_highest_discount_is_covered_first() -> None:
    spends = [on_demand(1.0, ratio=0.8), on_demand(1.0, ratio=0.5)]
    bill = monthly_bill(spends, commitment_usd_per_hour=0.5)
    assert bill.on_demand_usd == pytest.approx(730.0)
    assert monthly_bill(spends[:1], commitment_usd_per_hour=0.5).on_demand_usd == pytest.approx(
        (1 - 0.5 / 0.8) * 730
    )


def test_an_unknown_plan_rate_is_no_discount() -> None:
    assert class_of(on_demand(1.0, ratio=None).lines[0], NO_COVER).ratio == 1.0
    bill = monthly_bill([on_demand(1.0, ratio=None)], commitment_usd_per_hour=0.5)
    assert bill.usd == pytest.approx(730.0)


def test_discounts_are_rounded_down() -> None:
    assert class_of(on_demand(1.0, ratio=0.631).lines[0], NO_COVER).ratio == pytest.approx(0.64)
    assert class_of(on_demand(1.0, ratio=0.7).lines[0], NO_COVER).ratio == pytest.approx(0.7)


def test_what_a_reservation_covers_is_not_saved_by_stopping_it() -> None:
    cover = Cover(scoped_usd_per_hour={"r/m5": 0.2}, paid_usd_per_hour=0.12)
    both = [on_demand(0.2, scope="r/m5"), on_demand(0.2, scope="r/c5")]
    before = monthly_bill(both, cover=cover).usd
    assert before == pytest.approx((0.2 + 0.12) * 730)
    assert monthly_bill(both[1:], cover=cover).usd == pytest.approx(before)
    assert monthly_bill(both[:1], cover=cover).usd == pytest.approx(0.12 * 730)


def test_a_plan_helps_only_in_hours_with_spend() -> None:
    half = np.zeros(168)
    half[:84] = 1.0
    spend = Spend(lines=(Line(usd_per_hour=1.0, running=half, plan_ratio=0.5),))
    bill = monthly_bill([spend], commitment_usd_per_hour=0.5)
    assert bill.usd == pytest.approx(365.0)
    assert bill.utilisation == pytest.approx(0.5)


def test_the_floor_counts_known_discounts_of_families_without_own_commitments() -> None:
    cover = Cover(scoped_usd_per_hour={"r/m5": math.inf})
    spends = [on_demand(1.0, ratio=0.5), on_demand(1.0, ratio=None), on_demand(1.0, scope="r/m5")]
    ledger = Ledger.of(spends, cover=cover)
    assert ledger.floor_usd_per_hour(ledger.eligible(spends)) == pytest.approx(0.5)
    assert Ledger.of([]).floor_usd_per_hour(np.zeros((0, 168))) == 0.0


def test_commitments_that_ended_cover_nothing() -> None:
    plan = Commitment(
        commitment_id="p",
        kind=CommitmentKind.COMPUTE_SAVINGS_PLAN,
        usd_per_hour=1.0,
        ends_at=NOW,
    )
    assert existing_cover([plan], prices=PriceBook(), now=NOW) == NO_COVER


def test_reservations_cover_the_on_demand_price_of_what_they_reserve() -> None:
    shape = InstanceShape(
        instance_type="m5.large", vcpu=2, memory_gib=8, architecture=Architecture.X86_64
    )
    key = ("us-east-1", "Linux/UNIX")
    prices = PriceBook(
        offers={key: {"m5.large": Offer(shape=shape, price_usd_per_hour=0.1)}},
        plan_usd_per_hour={key: {"m5.large": 0.07}},
    )
    later = NOW + timedelta(days=90)
    reserved = Commitment(
        commitment_id="r",
        kind=CommitmentKind.RESERVED_INSTANCE,
        usd_per_hour=0.12,
        region="us-east-1",
        instance_type="m5.large",
        product="Linux/UNIX",
        count=2,
        ends_at=later,
    )
    family = Commitment(
        commitment_id="f",
        kind=CommitmentKind.INSTANCE_SAVINGS_PLAN,
        usd_per_hour=0.14,
        region="us-east-1",
        instance_family="m5",
        ends_at=later,
    )
    cover = existing_cover([reserved, family], prices=prices, now=NOW)
    assert cover.scoped_usd_per_hour == {"us-east-1/m5": pytest.approx(0.2 + 0.2)}
    assert cover.paid_usd_per_hour == pytest.approx(0.26)
    alone = existing_cover([reserved], prices=prices, now=NOW)
    assert alone.scoped_usd_per_hour == {"us-east-1/m5/Linux/UNIX": pytest.approx(0.2)}
    unknown = existing_cover([reserved], prices=PriceBook(), now=NOW)
    assert unknown.scoped_usd_per_hour == {"us-east-1/m5/Linux/UNIX": math.inf}
    nameless = existing_cover([replace(reserved, product=None)], prices=prices, now=NOW)
    assert nameless.scoped_usd_per_hour == {"us-east-1/m5": math.inf}


def test_reserved_windows_covers_windows_at_its_own_price_and_nothing_else() -> None:
    shape = InstanceShape(
        instance_type="m5.large", vcpu=2, memory_gib=8, architecture=Architecture.X86_64
    )
    prices = PriceBook(
        offers={
            ("us-east-1", product): {"m5.large": Offer(shape=shape, price_usd_per_hour=usd)}
            for product, usd in (("Linux/UNIX", 0.1), ("Windows", 0.19))
        }
    )
    reserved = Commitment(
        commitment_id="w",
        kind=CommitmentKind.RESERVED_INSTANCE,
        usd_per_hour=0.13,
        region="us-east-1",
        instance_type="m5.large",
        product="Windows",
        ends_at=NOW + timedelta(days=300),
    )
    cover = existing_cover([reserved], prices=prices, now=NOW)
    windows = on_demand(0.19, scope="us-east-1/m5/Windows")
    linux = on_demand(0.1, scope="us-east-1/m5/Linux/UNIX")
    both = monthly_bill([windows, linux], cover=cover).usd
    assert both == pytest.approx((0.13 + 0.1) * 730)
    assert monthly_bill([linux], cover=cover).usd == pytest.approx(both)
    assert monthly_bill([windows], cover=cover).usd == pytest.approx(both - 73.0)


def test_the_commitment_that_ends_first_is_that_of_the_spend_asked_about() -> None:
    def held(
        name: str, days: int, *, instance_type: str = "", product: str | None = None
    ) -> Commitment:
        return Commitment(
            commitment_id=name,
            kind=CommitmentKind.RESERVED_INSTANCE,
            usd_per_hour=0.1,
            region="r",
            instance_type=instance_type,
            product=product,
            ends_at=NOW + timedelta(days=days),
        )

    plan = replace(held("plan", 90), kind=CommitmentKind.COMPUTE_SAVINGS_PLAN, region=None)
    linux = held("linux", 20, instance_type="m5.large", product="Linux/UNIX")
    windows = held("windows", 10, instance_type="m5.large", product="Windows")
    far = held("far", 400, instance_type="c5.large", product="Linux/UNIX")

    def first(*held: Commitment, scope: str) -> str | None:
        cover = existing_cover(held, prices=PriceBook(), now=NOW)
        found = cover.first_to_end([scope])
        return None if found is None else found.commitment_id

    assert first(plan, linux, windows, scope="r/m5/Linux/UNIX") == "linux"
    assert first(plan, linux, windows, scope="r/c5/Linux/UNIX") == "plan"
    assert first(linux, windows, far, scope="r/c5/Linux/UNIX") is None
    # The budget of a family of which one product is not known is shared.
    nameless = replace(linux, product=None)
    assert first(nameless, windows, scope="r/m5/Linux/UNIX") == "windows"


def test_a_line_says_what_is_wrong_with_it() -> None:
    with pytest.raises(PermanentError, match="shape"):
        Line(usd_per_hour=1.0, running=np.ones(24))
    with pytest.raises(PermanentError, match="at least 0"):
        Line(usd_per_hour=math.nan, running=ALWAYS)


def test_what_is_reserved_of_a_family_is_shared_by_its_classes() -> None:
    cover = Cover(scoped_usd_per_hour={"r/m5": 1.5})
    spends = [on_demand(1.0, ratio=0.6, scope="r/m5"), on_demand(1.0, ratio=0.8, scope="r/m5")]
    bill = monthly_bill(spends, cover=cover, commitment_usd_per_hour=0.3)
    # The smaller discount is reserved first, so that the plan meets the larger one.
    assert bill.on_demand_usd == pytest.approx(0.0, abs=1e-9)
    assert monthly_bill(spends, cover=cover).on_demand_usd == pytest.approx(365.0)

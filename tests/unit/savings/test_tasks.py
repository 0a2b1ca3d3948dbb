"""What the savings tasks hand on: prices joined, settings translated, names given."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from blocks import IgnoredResource, SavingsSettings
from tasks.domain.inventory import Instance, Inventory, Volume
from tasks.domain.savings.money import PriceBook, SpotQuote, VolumePrice
from tasks.domain.savings.opportunity import Kind
from tasks.domain.savings.policy import SavingsPolicy
from tasks.savings.opportunities import names_of, savings_policy
from tasks.savings.prices import joined_book, products_by_region

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def instance(name: str, *, region: str, product: str = "Linux/UNIX") -> Instance:
    return Instance(
        instance_id=f"i-{name}",
        region=region,
        availability_zone=f"{region}a",
        instance_type="m5.large",
        product=product,
        launched_at=NOW,
        tags={"Name": name},
    )


def volume(identity: str, *, attached_to: str | None = None, **tags: str) -> Volume:
    return Volume(
        volume_id=identity,
        region="us-east-1",
        availability_zone="us-east-1a",
        kind="gp2",
        size_gib=10,
        attached_to=attached_to,
        created_at=NOW,
        tags=tags,
    )


ACCOUNT = Inventory(
    observed_at=NOW,
    regions=("us-east-1", "eu-west-1", "eu-north-1"),
    instances=(
        instance("web", region="us-east-1"),
        instance("desk", region="us-east-1", product="Windows"),
        instance("far", region="eu-west-1"),
    ),
    volumes=(
        volume("vol-1", attached_to="i-web"),
        volume("vol-2", Name="archive"),
        volume("vol-3"),
    ),
)


def test_prices_are_asked_for_what_runs_and_where() -> None:
    assert products_by_region(ACCOUNT) == {
        "us-east-1": ("Linux/UNIX", "Windows"),
        "eu-west-1": ("Linux/UNIX",),
        "eu-north-1": (),
    }


def test_books_of_several_regions_become_one() -> None:
    quote = SpotQuote(
        region="us-east-1",
        availability_zone="us-east-1a",
        instance_type="m5.large",
        usd_per_hour=0.03,
        high_usd_per_hour=0.04,
        interruptions_per_month=0.1,
    )
    books = [
        PriceBook(volumes={(region, "gp2"): VolumePrice(usd_per_gib=price)}, quoted_at="there")
        for region, price in (("us-east-1", 0.1), ("eu-west-1", 0.11))
    ]
    book = joined_book(books, spot={("us-east-1", "m5.large"): (quote,)})

    assert book.volumes["eu-west-1", "gp2"].usd_per_gib == 0.11
    assert book.volumes["us-east-1", "gp2"].usd_per_gib == 0.1
    assert book.spot["us-east-1", "m5.large"] == (quote,)
    assert book.quoted_at == "there"


def test_without_regions_there_are_no_prices_and_no_error() -> None:
    assert joined_book([], spot={}).on_demand("m5.large", region="r", product="p") is None


def test_settings_as_they_ship_are_the_policy_as_it_ships() -> None:
    assert savings_policy(SavingsSettings()) == SavingsPolicy()


def test_kinds_and_ignored_resources_reach_the_policy() -> None:
    settings = SavingsSettings(
        kinds=["right-size"],
        ignored=[IgnoredResource(resource="i-*", kinds=["stop"], reason="asked by search")],
    )
    policy = savings_policy(settings)

    assert policy.kinds == {Kind.RIGHT_SIZE}
    assert policy.ignored(Kind.STOP, "i-web", now=NOW) is not None
    assert policy.ignored(Kind.RIGHT_SIZE, "i-web", now=NOW) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("exceed_share", 0.2),
        ("worst_exceed_share", 0.7),
        ("min_days", 3),
        ("spot_floor_share", 1.5),
        ("kinds", ["magic"]),
    ],
)
def test_a_setting_out_of_bounds_is_refused_by_its_name(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        SavingsSettings(**{field: value})


def test_an_ignored_resource_needs_a_reason_and_an_expiry_with_its_offset() -> None:
    with pytest.raises(ValidationError, match="reason"):
        IgnoredResource(resource="i-1", reason="")
    with pytest.raises(ValidationError, match="timezone"):
        IgnoredResource(resource="i-1", reason="audit", expires_at=datetime(2026, 5, 1))  # noqa: DTZ001


def test_a_volume_goes_by_its_own_name_else_by_its_hosts() -> None:
    names = names_of(ACCOUNT)

    assert names["i-web"] == "web"
    assert (names["vol-1"], names["vol-2"]) == ("of web", "archive")
    assert "vol-3" not in names

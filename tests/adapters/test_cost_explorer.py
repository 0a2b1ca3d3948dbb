from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from botocore.exceptions import ClientError

from deployments.embedded.aws.commitments import small_plan
from deployments.embedded.aws.faults import FaultKind, FaultRule
from deployments.embedded.aws.policy import ACCOUNT
from deployments.embedded.aws.server import EmbeddedAws, EmbeddedAwsConfig, serve_aws
from tasks.adapters.cost_explorer import (
    BY_SERVICE_AND_USAGE,
    UNTAGGED,
    CostGroup,
    daily_costs,
)
from tasks.domain.errors import PermanentError, TransientError
from tasks.domain.savings.spend.anomalies import spend_anomalies
from tests.support.embedded_aws import Clock, aws_client, seeding_client

pytestmark = pytest.mark.embedded("aws")

OPENED = datetime(2026, 3, 10, tzinfo=UTC)
NOW = datetime(2026, 3, 21, 6, tzinfo=UTC)
COMPUTE = "Amazon Elastic Compute Cloud - Compute"


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    """An account in which three instances were launched on the 10th and one ended at once."""
    clock = Clock(OPENED)
    config = EmbeddedAwsConfig(clock=clock, commitments=small_plan(OPENED))
    with serve_aws(config) as running:
        ec2 = seeding_client(running, "ec2")
        images = ec2.describe_images(Owners=["amazon"])["Images"]
        image = next(one["ImageId"] for one in images if "Platform" not in one)
        for team in ("web", "data", None):
            tags = [{"Key": "team", "Value": team}] if team else []
            started = ec2.run_instances(
                ImageId=image,
                MinCount=1,
                MaxCount=1,
                InstanceType="m5.2xlarge",
                TagSpecifications=[{"ResourceType": "instance", "Tags": tags}] if tags else [],
            )
            if team is None:
                identity = started["Instances"][0]["InstanceId"]
                ec2.terminate_instances(InstanceIds=[identity])
        clock.now = NOW
        yield running


@pytest.fixture(scope="module")
def client(server: EmbeddedAws) -> Any:
    return aws_client(server, "ce")


def costs(client: Any, *groups: CostGroup, end: date = date(2026, 3, 21)) -> pd.DataFrame:
    return daily_costs(client, start=date(2026, 3, 1), end=end, group_by=groups)


SERVICE, TEAM = CostGroup.dimension("SERVICE"), CostGroup.tag("team")


def test_services_cost_what_runs_and_what_was_bought(client: Any) -> None:
    found = costs(client, SERVICE)
    day = found[found["day"] == "2026-03-15"].set_index("group")["usd"]

    # A dollar an hour covers 1 / 0.725 dollars of the 2 x 0.384 on demand: all of it.
    assert day["Savings Plans for AWS Compute usage"] == pytest.approx(24.0)
    assert day[COMPUTE] == pytest.approx(0.0, abs=1e-9)
    assert day["EC2 - Other"] > 0.0  # root volumes
    assert list(found.columns) == ["day", "group", "usd", "is_estimated"]


def test_every_grouping_adds_up_to_the_same_total(client: Any) -> None:
    total = costs(client, SERVICE)["usd"].sum()

    for groups in ((TEAM,), (CostGroup.dimension("LINKED_ACCOUNT"),), (SERVICE, TEAM)):
        assert costs(client, *groups)["usd"].sum() == pytest.approx(total)


def test_usage_types_are_parts_of_services(client: Any) -> None:
    found = costs(client, *BY_SERVICE_AND_USAGE)

    pairs = set(zip(found["group"], found["part"], strict=True))
    assert (COMPUTE, "BoxUsage:m5.2xlarge") in pairs
    assert ("EC2 - Other", "EBS:VolumeUsage.gp2") in pairs


def test_tags_are_told_apart_from_what_has_none(client: Any) -> None:
    owner = costs(client, TEAM)

    assert set(owner["group"]) >= {UNTAGGED}
    account = costs(client, CostGroup.dimension("LINKED_ACCOUNT"))
    assert set(account["group"]) == {ACCOUNT}


def usage(client: Any, **changes: Any) -> list[dict[str, Any]]:
    """Daily hours of instances, from the far end itself."""
    query: dict[str, Any] = {
        "TimePeriod": {"Start": "2026-03-09", "End": "2026-03-22"},
        "Granularity": "DAILY",
        "Metrics": ["UsageQuantity"],
        "Filter": {
            "And": [
                {"Dimensions": {"Key": "SERVICE", "Values": [COMPUTE]}},
                {"Not": {"Dimensions": {"Key": "RECORD_TYPE", "Values": ["SavingsPlanNegation"]}}},
            ]
        },
        **changes,
    }
    return list(client.get_cost_and_usage(**query)["ResultsByTime"])


def hours(results: list[dict[str, Any]]) -> dict[str, float]:
    return {
        one["TimePeriod"]["Start"]: float(one["Total"]["UsageQuantity"]["Amount"])
        for one in results
    }


def test_a_terminated_instance_stops_costing_and_today_is_not_known_yet(client: Any) -> None:
    found = hours(usage(client))

    assert found["2026-03-09"] == 0.0
    assert found["2026-03-15"] == pytest.approx(2 * 24.0)
    assert found["2026-03-20"] == pytest.approx(2 * 6.0)
    assert found["2026-03-21"] == 0.0


def test_tags_filter_and_months_add_days_up(client: Any) -> None:
    web = {"Tags": {"Key": "team", "Values": ["web"]}}
    either = {"Or": [web, {"Tags": {"Key": "team", "MatchOptions": ["ABSENT"]}}]}

    days = hours(usage(client, Filter=web))
    (month,) = usage(
        client,
        Filter=web,
        Granularity="MONTHLY",
        TimePeriod={"Start": "2026-03-01", "End": "2026-04-01"},
    )

    assert days["2026-03-15"] == pytest.approx(24.0)
    assert hours([month])["2026-03-01"] == pytest.approx(sum(days.values()))
    assert sum(hours(usage(client, Filter=either)).values()) > sum(days.values())


def test_the_current_month_is_estimated_but_only_its_last_days_may_still_rise(client: Any) -> None:
    results = usage(client, TimePeriod={"Start": "2026-02-27", "End": "2026-03-03"})
    found = costs(client, SERVICE)

    assert [one["Estimated"] for one in results] == [False, False, True, True]
    assert set(found[found["is_estimated"]]["day"].dt.date) == {
        date(2026, 3, 19),
        date(2026, 3, 20),
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Granularity": "HOURLY"}, "use DAILY or MONTHLY"),
        ({"Metrics": ["AmortizedCost"]}, "are not embedded"),
        ({"TimePeriod": {"Start": "2025-01-31", "End": "2026-03-01"}}, "begin on 2025-02-01"),
        ({"TimePeriod": {"Start": "2026-03-02", "End": "2026-03-02"}}, "before end date"),
        ({"GroupBy": [{"Type": "DIMENSION", "Key": "AZ"}]}, "'AZ' is not embedded"),
        ({"GroupBy": [{"Type": "TAG", "Key": name} for name in "abc"]}, "at most 2"),
        ({"Filter": {"CostCategories": {"Key": "a", "Values": ["b"]}}}, "CostCategories"),
        (
            {"Filter": {"Dimensions": {"Key": "SERVICE", "Values": ["a"], "MatchOptions": ["x"]}}},
            "MatchOptions",
        ),
        ({"NextPageToken": "made up"}, "InvalidNextToken"),
    ],
)
def test_what_cost_explorer_does_not_allow_is_refused(
    client: Any, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match=message):
        usage(client, **changes)


def test_a_longer_answer_comes_in_pages_and_has_one_anomaly() -> None:
    with serve_aws(EmbeddedAwsConfig(fleet="generated:40", clock=Clock(NOW))) as server:
        client = aws_client(server, "ce")
        start, end = date(2025, 6, 1), date(2026, 3, 21)
        by_usage = daily_costs(client, start=start, end=end, group_by=BY_SERVICE_AND_USAGE)
        by_service = daily_costs(client, start=start, end=end)

    # What the bill has of anomalies is found, and nothing else.
    (anomaly,) = spend_anomalies(by_service, today=end, details=by_usage)
    assert anomaly.first_day == anomaly.last_day == date(2026, 3, 12)
    assert anomaly.cause == "DataTransfer-Out-Bytes"
    assert len(by_usage) > 2000
    assert not by_usage.duplicated(["day", "group", "part"]).any()
    assert by_usage["usd"].sum() == pytest.approx(by_service["usd"].sum())


@pytest.mark.parametrize(
    ("groups", "end"),
    [((), date(2026, 3, 2)), ((SERVICE,) * 3, date(2026, 3, 2)), ((SERVICE,), date(2026, 3, 1))],
)
def test_an_impossible_question_is_not_paid_for(groups: tuple[CostGroup, ...], end: date) -> None:
    with pytest.raises(PermanentError, match=r"groups|before end"):
        daily_costs(None, start=date(2026, 3, 1), end=end, group_by=groups)


def test_what_is_changed_costs_otherwise_from_then_on_and_the_past_stays() -> None:
    clock = Clock(OPENED)
    with serve_aws(EmbeddedAwsConfig(clock=clock)) as server:
        ec2, ce = seeding_client(server, "ec2"), aws_client(server, "ce")
        images = ec2.describe_images(Owners=["amazon"])["Images"]
        image = next(one["ImageId"] for one in images if "Platform" not in one)
        (one,) = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="m5.xlarge")[
            "Instances"
        ]
        which = {"InstanceIds": [one["InstanceId"]]}
        clock.now = OPENED + timedelta(days=4)
        ec2.stop_instances(**which)
        ec2.modify_instance_attribute(
            InstanceId=one["InstanceId"], InstanceType={"Value": "m5.large"}
        )
        clock.now = OPENED + timedelta(days=5)
        ec2.start_instances(**which)
        clock.now = OPENED + timedelta(days=7)
        ec2.terminate_instances(**which)
        clock.now = OPENED + timedelta(days=10)
        found = daily_costs(ce, start=OPENED.date(), end=clock.now.date())

    compute = found[found["group"] == COMPUTE]["usd"].round(3).tolist()
    volumes = found[found["group"] == "EC2 - Other"]["usd"].round(3).tolist()
    assert compute == pytest.approx([24 * 0.192] * 4 + [24 * 0.096] * 2, abs=0.01)
    # The root volume costs while the instance is stopped, too, and is deleted with it.
    assert volumes == pytest.approx([8 * 0.1 / 31] * 7, abs=0.01)


def test_throttling_is_worth_another_try() -> None:
    rule = FaultRule(operation="ce:*", kind=FaultKind.THROTTLE)
    with (
        serve_aws(EmbeddedAwsConfig(clock=Clock(NOW), faults=(rule,))) as server,
        pytest.raises(TransientError),
    ):
        costs(aws_client(server, "ce"), SERVICE)


def test_an_empty_account_has_no_rows(client: Any) -> None:
    with serve_aws(EmbeddedAwsConfig(clock=Clock(NOW))) as server:
        found = costs(aws_client(server, "ce"), SERVICE)

    assert found.empty
    assert str(found["day"].dtype) == "datetime64[s]"

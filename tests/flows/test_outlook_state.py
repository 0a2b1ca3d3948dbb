"""State under concurrent writers, crashes, other schemas and missing objects."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import pandas as pd
import pytest
from prefect.client.orchestration import get_client
from prefect.filesystems import LocalFileSystem
from prefect_aws import S3Bucket

from blocks import HistorySpan, ObjectPointer, SpotOutlook
from tasks.adapters.objects import (
    MissingObjectError,
    frame_from_parquet,
    load_object,
    store_object,
)
from tasks.adapters.state import load_state, publish_state, stored_object
from tasks.chunks import Sealed
from tasks.domain.errors import PermanentError
from tasks.spot.history import History, MarketScope
from tasks.spot.outlook import Findings, publish_findings
from tests.flows.builders import Cloud, embedded_cloud, make_state_lock
from tests.unit.spot.builders import small_forecasts

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect_server")]


@pytest.fixture
def lock() -> None:
    make_state_lock()


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with embedded_cloud() as running:
        yield running


def counted(current: SpotOutlook) -> SpotOutlook:
    return current.model_copy(update={"pools": current.pools + 1})


def publish_once(_: int) -> None:
    publish_state(SpotOutlook, "raced", counted)


def test_no_change_is_lost_among_concurrent_writers(lock: None) -> None:
    # Processes, as runs are: Prefect shares one lock service among a process's threads.
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as writers:
        list(writers.map(publish_once, range(9)))

    assert load_state(SpotOutlook, "raced").pools == 9


def test_a_writer_that_dies_before_the_pointer_leaves_the_old_one(lock: None) -> None:
    publish_state(SpotOutlook, "crashed", counted)

    def dies(current: SpotOutlook) -> SpotOutlook:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        publish_state(SpotOutlook, "crashed", dies)

    assert load_state(SpotOutlook, "crashed").pools == 1
    assert publish_state(SpotOutlook, "crashed", counted).pools == 2


def test_an_outlook_that_was_never_written_is_empty() -> None:
    assert load_state(SpotOutlook, "nobody-wrote-this").cutoff is None


def test_a_document_without_the_newest_fields_is_read_with_their_defaults(lock: None) -> None:
    publish_state(SpotOutlook, "older", counted)
    rewrite("older", {"pools": 7, "schema_version": 1})

    assert load_state(SpotOutlook, "older").pools == 7
    assert load_state(SpotOutlook, "older").history_spans == {}


def test_a_document_of_a_newer_release_is_refused_not_trimmed(lock: None) -> None:
    publish_state(SpotOutlook, "newer", counted)
    rewrite("newer", {"pools": 7, "schema_version": 99})

    with pytest.raises(PermanentError, match=r"schema version 99.*upgrade Homeostat"):
        publish_state(SpotOutlook, "newer", counted)


def test_without_the_lock_nothing_is_written() -> None:
    with pytest.raises(PermanentError, match="'nobody-made-this' does not exist"):
        publish_state(SpotOutlook, "unlocked", counted, lock="nobody-made-this")

    assert load_state(SpotOutlook, "unlocked").pools == 0


@pytest.mark.embedded("aws")
def test_objects_live_in_s3_as_they_do_in_a_folder(cloud: Cloud) -> None:
    bucket = S3Bucket(bucket_name="homeostat-reports", credentials=cloud.account)

    pointer = store_object(bucket, b"prices", prefix="spot", suffix=".bin")

    assert load_object(bucket, pointer) == b"prices"


@pytest.mark.embedded("aws")
def test_an_object_deleted_from_s3_is_missing(cloud: Cloud) -> None:
    bucket = S3Bucket(bucket_name="homeostat-reports", credentials=cloud.account)
    pointer = store_object(bucket, b"other prices", prefix="spot", suffix=".bin")
    client = cloud.account.session().client("s3", endpoint_url=cloud.account.endpoint_url)
    client.delete_object(Bucket="homeostat-reports", Key=pointer.key)

    with pytest.raises(MissingObjectError, match=pointer.key):
        load_object(bucket, pointer)


def rewrite(name: str, data: dict[str, object]) -> None:
    """Put a document's data as another release would have left it."""
    from prefect.client.schemas.actions import BlockDocumentUpdate

    with get_client(sync_client=True) as client:
        document = client.read_block_document_by_name(name, "spot-outlook")
        client.update_block_document(
            document.id, BlockDocumentUpdate(data=data, merge_existing_data=False)
        )


def findings(zone: str, *, days: int, base: ObjectPointer | None) -> Sealed[Findings]:
    """What a run over one pool found, with so many days of history."""
    start = NOON - timedelta(days=days)
    changes = pd.DataFrame(
        {
            "timestamp": pd.to_datetime([start, start + timedelta(days=1), NOON], utc=True),
            "instance_type": "m5.large",
            "availability_zone": zone,
            "product_description": "Linux/UNIX",
            "price_usd_per_hour": [0.1, 0.2, 0.3],
        }
    )
    history = History(
        changes=changes,
        spans={zone: HistorySpan(start=start, end=NOON)},
        rows_fetched=3,
        window_start=start,
    )
    return Sealed(
        Findings(
            observed_at=NOON,
            history=history,
            based_on=base,
            scope=MarketScope(regions=("us-east-1",), products=("Linux/UNIX",), instance_types=()),
            forecasts=[replace(small_forecasts(), cutoff=NOON)],
            scores=[],
        )
    )


def test_histories_of_two_runs_at_once_are_joined_and_called_complete_no_further_than_they_are(
    lock: None, tmp_path: Path
) -> None:
    storage = LocalFileSystem(basepath=str(tmp_path))
    publish_findings.fn(storage, "joined", findings("us-east-1a", days=30, base=None))

    publish_findings.fn(storage, "joined", findings("us-east-1b", days=15, base=None))

    stored = load_state(SpotOutlook, "joined")
    assert stored.history is not None
    held = frame_from_parquet(load_object(storage, stored_object(stored.history)))
    assert set(held["availability_zone"]) == {"us-east-1a", "us-east-1b"}
    assert stored.history_spans["us-east-1a"].start == NOON - timedelta(days=15)
    assert stored.history_spans["us-east-1b"].start == NOON - timedelta(days=15)


def test_publishing_twice_leaves_what_publishing_once_does(lock: None, tmp_path: Path) -> None:
    storage = LocalFileSystem(basepath=str(tmp_path))
    found = findings("us-east-1a", days=30, base=None)

    once = publish_findings.fn(storage, "repeated", found)
    twice = publish_findings.fn(storage, "repeated", found)

    assert twice.history == once.history
    assert twice.forecast == once.forecast

"""State under concurrent writers, crashes, other schemas and missing objects."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from prefect.client.orchestration import get_client
from prefect_aws import S3Bucket

from blocks import SpotOutlook
from tasks.adapters.objects import MissingObjectError, load_object, store_object
from tasks.adapters.outlook import STATE_LOCK, load_outlook, publish_outlook
from tasks.domain.errors import PermanentError
from tests.flows.builders import Cloud, embedded_cloud

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect_server")]


@pytest.fixture
def lock() -> None:
    with get_client(sync_client=True) as client:
        client.upsert_global_concurrency_limit_by_name(STATE_LOCK, limit=1)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with embedded_cloud() as running:
        yield running


def counted(current: SpotOutlook) -> SpotOutlook:
    return current.model_copy(update={"pools": current.pools + 1})


def publish_once(_: int) -> None:
    publish_outlook("raced", counted)


def test_no_change_is_lost_among_concurrent_writers(lock: None) -> None:
    # Processes, as runs are: Prefect shares one lock service among a process's threads.
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as writers:
        list(writers.map(publish_once, range(9)))

    assert load_outlook("raced").pools == 9


def test_a_writer_that_dies_before_the_pointer_leaves_the_old_one(lock: None) -> None:
    publish_outlook("crashed", counted)

    def dies(current: SpotOutlook) -> SpotOutlook:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        publish_outlook("crashed", dies)

    assert load_outlook("crashed").pools == 1
    assert publish_outlook("crashed", counted).pools == 2


def test_an_outlook_that_was_never_written_is_empty() -> None:
    assert load_outlook("nobody-wrote-this").cutoff is None


def test_a_document_without_the_newest_fields_is_read_with_their_defaults(lock: None) -> None:
    publish_outlook("older", counted)
    rewrite("older", {"pools": 7, "schema_version": 1})

    assert load_outlook("older").pools == 7
    assert load_outlook("older").history_spans == {}


def test_a_document_of_a_newer_release_is_refused_not_trimmed(lock: None) -> None:
    publish_outlook("newer", counted)
    rewrite("newer", {"pools": 7, "schema_version": 99})

    with pytest.raises(PermanentError, match=r"schema version 99.*upgrade Homeostat"):
        publish_outlook("newer", counted)


def test_without_the_lock_nothing_is_written() -> None:
    with get_client(sync_client=True) as client:
        client.upsert_global_concurrency_limit_by_name(STATE_LOCK, limit=1)
        client.delete_global_concurrency_limit_by_name(STATE_LOCK)

    with pytest.raises(PermanentError, match="does not exist"):
        publish_outlook("unlocked", counted)

    assert load_outlook("unlocked").pools == 0


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

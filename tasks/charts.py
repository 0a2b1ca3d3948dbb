"""Charts in the Prefect UI: a picture in the report bucket, and an artifact that shows it."""

from __future__ import annotations

from prefect.artifacts import create_image_artifact
from prefect.logging import get_run_logger

from blocks import AwsAccount
from tasks.adapters.aws import regional_client
from tasks.adapters.report_bucket import publish_image
from tasks.domain.errors import InfraError


def show_chart(
    account: AwsAccount, image: bytes, *, place: str, key: str, description: str
) -> None:
    """Show a chart among the run's artifacts; one that cannot be stored is left out, with a warning.

    Args:
        account: Its `report_bucket` takes the picture; None there keeps charts off.
        image: PNG.
        place: Key in the bucket.
        key: Of the artifact.
        description: Of the artifact.
    """
    logger = get_run_logger()
    if account.report_bucket is None:
        logger.info("chart.off key=%s reason=the AWS Account block names no report_bucket", key)
        return
    region = account.report_region or account.regions[0]
    client = regional_client(
        account.session(), "s3", region=region, endpoint_url=account.endpoint_url
    )
    try:
        address = publish_image(
            client, image, bucket=account.report_bucket, key=place, region=region
        )
    except InfraError as error:
        logger.warning("chart.missing key=%s reason=%s", key, error)
        return
    create_image_artifact(address, key=key, description=description)

"""Charts in an S3 bucket, at addresses that a browser can load."""

from __future__ import annotations

from typing import Any

from tasks.adapters.aws import translated

OPERATIONS = ("s3:GetObject", "s3:PutObject")

LONGEST_VALIDITY_SECONDS = 7 * 24 * 3600
"""The longest that AWS signs an address for; credentials of a role end it earlier."""


def publish_image(client: Any, image: bytes, *, bucket: str, key: str, region: str) -> str:
    """Store a PNG and return a signed address that expires.

    Args:
        client: A boto3 client of S3.
        image: PNG bytes.
        bucket: An existing bucket; it need not be public.
        key: Object key.
        region: For error messages.

    Raises:
        TransientError: S3 did not answer.
        PermanentError: The bucket does not exist or may not be written.
    """
    with translated("s3:PutObject", region=region):
        client.put_object(Bucket=bucket, Key=key, Body=image, ContentType="image/png")
    with translated("s3:GetObject", region=region):
        address = client.generate_presigned_url(
            "get_object",
            Params={"Bucket": bucket, "Key": key},
            ExpiresIn=LONGEST_VALIDITY_SECONDS,
        )
    return str(address)

"""Unmodified boto3 clients of an embedded AWS, and a clock that tests move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
import pandas as pd
from botocore.config import Config

from deployments.embedded.aws.policy import SEEDING_KEY
from deployments.embedded.aws.server import EmbeddedAws
from tasks.domain.spot.pools import PRICE_CHANGE_COLUMNS

Row = tuple[str, str, str, float]
"""Timestamp, instance type, zone, price."""


@dataclass
class Clock:
    """Now, as a test sets it."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


def aws_client(
    server: EmbeddedAws,
    service: str,
    *,
    region: str = "us-east-1",
    attempts: int = 1,
    key: str = "us",
) -> Any:
    """Return a boto3 client that does not retry unless told to."""
    return boto3.client(
        service,  # type: ignore[call-overload]
        region_name=region,
        endpoint_url=server.endpoint_url,
        aws_access_key_id=key,
        aws_secret_access_key="not checked",
        config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}),
    )


def seeding_client(server: EmbeddedAws, service: str, *, region: str = "us-east-1") -> Any:
    """Return a client that the policy does not bind."""
    return aws_client(server, service, region=region, key=SEEDING_KEY)


def history_file(folder: Path, rows: Sequence[Row], *, product: str = "Linux/UNIX") -> Path:
    """Write a recording."""
    frame = pd.DataFrame(
        [(at, kind, zone, product, price) for at, kind, zone, price in rows],
        columns=list(PRICE_CHANGE_COLUMNS),
    )
    path = folder / f"history-{product.replace('/', '-')}.csv"
    frame.to_csv(path, index=False)
    return path

"""What the account has after a kill is counted on every page of its lists."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.stacks_kill_account import Account
from deployments.embedded.aws.server import EmbeddedAwsConfig, serve_aws
from tasks.domain.stacks.changes import CHANGE_TAG

pytestmark = pytest.mark.embedded("aws")


def test_a_log_group_past_the_first_page_is_counted() -> None:
    with serve_aws(EmbeddedAwsConfig(fleet="none")) as server:
        account = Account(server.endpoint_url)
        logs = account.client("logs")
        for number in range(60):
            logs.create_log_group(
                logGroupName=f"logs-{number:02d}", tags={CHANGE_TAG: f"change-{number % 2}"}
            )

        found = Counter(name for name, _ in account.made("change-1"))

    assert found == {"logs": 30}

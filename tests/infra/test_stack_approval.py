"""The stack that `up` leaves waiting: looked at, approved in the UI's form, verified, and undone."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from deployments.prefect_api import FlowRun
from tests.infra.test_browser import browser, page
from tests.support.installation import UpInstallation

__all__ = ["browser", "page"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.embedded("aws"),
    pytest.mark.real("pulumi"),
    pytest.mark.real("chromium"),
    pytest.mark.timeout(900),
]
APPLY_SECONDS = 400


def _stacks(installation: UpInstallation) -> dict[str, dict[str, Any]]:
    with installation.api() as api:
        ledger = api.block("stack-ledger", "homeostat")
    assert ledger is not None
    found: dict[str, dict[str, Any]] = ledger["stacks"]
    return found


def _standing(installation: UpInstallation, status: str) -> str:
    found = [name for name, entry in _stacks(installation).items() if entry["status"] == status]
    assert len(found) == 1, _stacks(installation)
    return found[0]


def _ended(installation: UpInstallation, run_id: str) -> FlowRun:
    with installation.api() as api:
        run = api.run(run_id)
        for seen in api.watch(run, timeout_seconds=APPLY_SECONDS):
            run = seen
            if run.is_waiting:  # The worker has not seen yet that it was resumed.
                continue
        return run


def test_the_waiting_stack_is_approved_in_the_form_applied_and_undone(
    page: Page, installation: UpInstallation
) -> None:
    assert _standing(installation, "undone"), "the first one was applied and brought back"
    stack = _standing(installation, "waiting")
    entry = _stacks(installation)[stack]

    page.goto(f"{installation.local.ui_url}/v2/runs/flow-run/{entry['run_id']}")
    page.locator("button:has(svg.lucide-ellipsis-vertical)").first.click()
    page.get_by_role("menuitem", name="Resume").click()
    form = page.get_by_role("dialog")
    form.get_by_text(stack).first.wait_for()
    assert entry["approval_hash"] in form.inner_text()
    assert "USD a month" in form.inner_text()
    form.get_by_role("button", name="Select Decision").click()
    page.get_by_role("option", name="approve").click()
    form.get_by_label("Approver (Optional)").fill("ada")
    form.get_by_role("button", name="Resume").click()
    form.wait_for(state="hidden")

    run = _ended(installation, entry["run_id"])
    assert run.succeeded, run
    assert _stacks(installation)[stack]["status"] == "verified"

    code, output = installation.run("undo", stack, timeout_seconds=APPLY_SECONDS)
    assert code == 0, output
    assert _stacks(installation)[stack]["status"] == "undone"

"""What a person sees of a run in Prefect's UI: opened in a real browser, with its chart loaded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Response,
    expect,
    sync_playwright,
)

from deployments.prefect_api import FlowRun
from tests.support.installation import UpInstallation
from tests.support.reality import ToolPath

pytestmark = [
    pytest.mark.slow,
    pytest.mark.real("chromium"),
    pytest.mark.embedded("aws"),
    pytest.mark.timeout(600),
]
SEEN_WITHIN_MS = 60_000
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
RESOURCE_NOT_LOADED = "Failed to load resource"
# Scripts of the graph that Prefect draws of a run, by the names in a stack trace.
RUN_GRAPH = ("flow-run-graph", "vendor-pixi")


@pytest.fixture(scope="module")
def browser(
    tool_path: ToolPath, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("chromium"),
            executable_path=tool_path("chromium"),
            args=QUIET.split(),
            viewport={"width": 1400, "height": 1000},
        )
        context.set_default_timeout(SEEN_WITHIN_MS)
        # Prefect's pages ask one outside host for settings of an analytics tool.
        context.route(re.compile(r"^https?://(?!127\.0\.0\.1[:/])"), lambda route: route.abort())
        yield context
        context.close()


def _last_run(installation: UpInstallation, deployment: str) -> FlowRun:
    with installation.api() as api:
        runs = api.latest_runs(limit=50)
    return next(run for run in runs if run.succeeded and run.deployment == deployment)


@pytest.fixture(scope="module")
def completed(installation: UpInstallation) -> FlowRun:
    return _last_run(installation, "forecast-spot-prices")


@pytest.fixture(scope="module")
def artifacts(installation: UpInstallation, completed: FlowRun) -> dict[str, dict[str, Any]]:
    with installation.api() as api:
        return {artifact["type"]: artifact for artifact in api.artifacts(completed)}


@pytest.fixture(scope="module")
def savings(installation: UpInstallation) -> dict[str, dict[str, Any]]:
    run = _last_run(installation, "optimize-costs")
    with installation.api() as api:
        return {artifact["key"]: artifact for artifact in api.artifacts(run)}


@pytest.fixture(scope="module")
def usage(installation: UpInstallation) -> dict[str, dict[str, Any]]:
    run = _last_run(installation, "cluster-usage")
    with installation.api() as api:
        return {artifact["key"]: artifact for artifact in api.artifacts(run)}


@pytest.fixture
def page(browser: BrowserContext, installation: UpInstallation) -> Iterator[Page]:
    """Give an empty page; afterwards, nothing of ours may have gone wrong on it."""
    page = browser.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.extend(_thrown_by_ours(error)))
    page.on("console", lambda message: wrong.extend(_errors_of_ours(message)))
    page.on("response", lambda answer: wrong.extend(_refused(answer, installation.local.aws_url)))
    yield page
    page.close()
    assert wrong == []


def _thrown_by_ours(error: Error) -> list[str]:
    # The graph of a run in Prefect's V2 pages draws on a canvas that is gone when the page changes
    # quickly. Nothing of ours is drawn there.
    theirs = any(part in (error.stack or "") for part in RUN_GRAPH)
    return [] if theirs else [f"{error} {error.stack or ''}"]


def _errors_of_ours(message: ConsoleMessage) -> list[str]:
    # Prefect's own pages lack an icon and ask for task runs by an empty id; see `_refused`.
    theirs = message.type != "error" or message.text.startswith(RESOURCE_NOT_LOADED)
    return [] if theirs else [message.text]


def _refused(answer: Response, endpoint: str) -> list[str]:
    ours = answer.url.startswith(endpoint) and not answer.ok
    return [f"{answer.status} {answer.url}"] if ours else []


def _open_artifact(page: Page, installation: UpInstallation, artifact: dict[str, Any]) -> None:
    page.goto(f"{installation.local.ui_url}/v2/artifacts/artifact/{artifact['id']}")


def test_the_page_of_a_run_shows_its_name_its_state_and_its_artifacts(
    page: Page, installation: UpInstallation, completed: FlowRun
) -> None:
    with installation.api() as api:
        page.goto(api.page_of(completed))

    expect(page.get_by_text(completed.name).first).to_be_visible(timeout=SEEN_WITHIN_MS)
    expect(page.get_by_text("Completed").first).to_be_visible(timeout=SEEN_WITHIN_MS)
    page.get_by_role("tab", name="Artifacts").click()
    for key in ("spot-outlook", "spot-pools", "spot-chart"):
        expect(page.get_by_text(key).first).to_be_visible(timeout=SEEN_WITHIN_MS)


def test_the_summary_has_its_heading_its_scores_and_a_drawn_chart(
    page: Page, installation: UpInstallation, artifacts: dict[str, dict[str, Any]]
) -> None:
    _open_artifact(page, installation, artifacts["markdown"])

    heading = page.get_by_role("heading", name=re.compile("^Spot outlook, "))
    expect(heading).to_be_visible(timeout=SEEN_WITHIN_MS)
    expect(
        page.get_by_role("cell", name="error vs last value").or_(
            page.get_by_role("columnheader", name="error vs last value")
        )
    ).to_be_visible()
    chart = page.locator("svg[aria-roledescription='xychart']")
    expect(chart).to_be_visible(timeout=SEEN_WITHIN_MS)
    expect(chart.get_by_text("USD per hour")).to_be_visible()
    # The intervals' low and high, the last value and the median.
    expect(chart.locator("[class^='line-plot-'] path")).to_have_count(4)


def test_the_table_lists_the_best_pools(
    page: Page, installation: UpInstallation, artifacts: dict[str, dict[str, Any]]
) -> None:
    _open_artifact(page, installation, artifacts["table"])

    for column in ("pool", "expected $/h", "saving", "interruption"):
        expect(page.get_by_role("columnheader", name=column, exact=True)).to_be_visible(
            timeout=SEEN_WITHIN_MS
        )
    first = page.get_by_role("row").nth(1)
    expect(first.get_by_text(re.compile(r"^[a-z0-9]+\.[a-z0-9]+/us-east-1[a-z]$"))).to_be_visible()


def test_the_chart_has_really_loaded(
    page: Page, installation: UpInstallation, artifacts: dict[str, dict[str, Any]]
) -> None:
    address = artifacts["image"]["data"]
    _open_artifact(page, installation, artifacts["image"])

    image = page.locator(f"img[src^='{installation.local.aws_url}/']")
    expect(image).to_be_visible(timeout=SEEN_WITHIN_MS)
    page.wait_for_function("image => image.complete", arg=image.element_handle())
    assert image.get_attribute("src") == address
    assert image.evaluate("image => image.naturalWidth") > 600


def test_the_table_of_opportunities_leads_with_what_is_saved(
    page: Page, installation: UpInstallation, savings: dict[str, dict[str, Any]]
) -> None:
    _open_artifact(page, installation, savings["savings-opportunities"])

    for column in ("resource", "kind", "net USD/month", "change", "confidence", "restart", "undo"):
        expect(page.get_by_role("columnheader", name=column, exact=True)).to_be_attached(
            timeout=SEEN_WITHIN_MS
        )
    expect(page.get_by_role("cell", name="commitment", exact=True)).to_be_visible()


def test_the_summary_of_savings_has_a_total_and_the_bill_ahead(
    page: Page, installation: UpInstallation, savings: dict[str, dict[str, Any]]
) -> None:
    _open_artifact(page, installation, savings["savings-summary"])

    expect(page.get_by_role("heading", name="Savings", exact=True)).to_be_visible(
        timeout=SEEN_WITHIN_MS
    )
    expect(page.get_by_text(re.compile(r"^\$[\d,]+ a month$"))).to_be_visible()
    expect(page.get_by_text("Out of the ordinary")).to_be_visible()


def test_the_arithmetic_is_a_table_for_each_opportunity(
    page: Page, installation: UpInstallation, savings: dict[str, dict[str, Any]]
) -> None:
    _open_artifact(page, installation, savings["savings-arithmetic"])

    heading = page.get_by_role("heading", name="commitment: account", exact=True)
    expect(heading).to_be_visible(timeout=SEEN_WITHIN_MS)
    expect(page.get_by_role("cell", name="price after", exact=True).first).to_be_visible()


def test_the_week_of_each_archetype_is_drawn(
    page: Page, installation: UpInstallation, usage: dict[str, dict[str, Any]]
) -> None:
    _open_artifact(page, installation, usage["usage-summary"])

    chart = page.locator("svg[aria-roledescription='xychart']")
    expect(chart).to_be_visible(timeout=SEEN_WITHIN_MS)
    expect(chart.locator("[class^='line-plot-'] path").first).to_be_attached()
    _open_artifact(page, installation, usage["usage-profiles"])
    expect(page.locator(f"img[src^='{installation.local.aws_url}/']")).to_be_visible(
        timeout=SEEN_WITHIN_MS
    )


def test_the_run_form_explains_its_parameters(page: Page, installation: UpInstallation) -> None:
    with installation.api() as api:
        deployment = api.deployments()["forecast-spot-prices"]
    page.goto(f"{installation.local.ui_url}/v2/deployments/deployment/{deployment}/run")

    for explained in (
        "For example us-east-1; empty for the regions of the account block.",
        "Days of history that the forecast sees; 30 is what was benchmarked.",
        "Virtual CPUs in total.",
        "Largest share of the allocated vCPUs, and of the memory, in one pool.",
    ):
        expect(page.get_by_text(explained)).to_be_visible(timeout=SEEN_WITHIN_MS)

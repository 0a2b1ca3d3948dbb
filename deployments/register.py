"""Blocks, limits and work pool that the flows expect: created once, kept as people edit them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import botocore.exceptions
import cyclopts
from prefect.blocks.core import Block
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists
from prefect.filesystems import LocalFileSystem
from prefect_aws import AwsClientParameters
from pydantic import SecretStr

from blocks import (
    AwsAccount,
    EmailNotification,
    ForecastScores,
    Guardrails,
    KubernetesCluster,
    ModelRegistry,
    PrometheusServer,
    PulumiBackend,
    SavingsOutlook,
    SavingsRealised,
    SavingsSettings,
    ScalingTrials,
    SpotOutlook,
    StackLedger,
    UsageProfile,
)
from blocks.guardrails import ModeScope
from deployments.embedded.pulumi_aws.plugin import plugin_folder
from deployments.local import LOOPBACK, default_home
from tasks.adapters.state import STATE_LOCK
from tasks.stacks.updates import UPDATES_LOCK

BLOCK_NAME = "homeostat"
APPLY_ACCOUNT = "homeostat-apply"
EMBEDDED_SECRET = "embedded"  # noqa: S105 - it opens nothing but an account on this machine
WORK_POOL = "homeostat"
REPORT_BUCKET = "homeostat-reports"

BLOCKS = (
    AwsAccount,
    EmailNotification,
    ForecastScores,
    Guardrails,
    KubernetesCluster,
    ModelRegistry,
    PrometheusServer,
    PulumiBackend,
    SavingsOutlook,
    SavingsRealised,
    SavingsSettings,
    ScalingTrials,
    SpotOutlook,
    StackLedger,
    UsageProfile,
)

B = TypeVar("B", bound=Block)

app = cyclopts.App(help=__doc__)


def save_blocks(*, aws_url: str, objects_folder: str, stacks_folder: str) -> None:
    """Save the connection blocks of a local installation.

    An endpoint on loopback is written anew, since it names the port of this start. What people
    set stays: an account of their own is not sent back to the embedded cloud.

    Args:
        aws_url: Endpoint of the embedded AWS.
        objects_folder: Base folder of the storage block.
        stacks_folder: For Pulumi's state, programs and own files.
    """
    for block in BLOCKS:
        block.register_type_and_schema()
    account = _existing_account(BLOCK_NAME) or _embedded_account("homeostat", aws_url)
    embedded = is_embedded(account)
    if embedded:
        _save_at(account, BLOCK_NAME, aws_url)
        create_bucket(account)
    LocalFileSystem(basepath=objects_folder).save(BLOCK_NAME, overwrite=True)
    if not _exists(SavingsSettings):
        SavingsSettings().save(BLOCK_NAME)
    _save_stacks_blocks(aws_url=aws_url, folder=Path(stacks_folder), embedded=embedded)


def save_cluster_blocks(*, kubeconfig: Path, prometheus_url: str | None, home: Path) -> None:
    """Save where the cluster is, and the Prometheus that watches it.

    A cluster that a person set in the block stays, unless another one was asked for by its file.

    Args:
        kubeconfig: Of the cluster that was started, or that a person asked for.
        prometheus_url: Of the Prometheus that watches it; None where a person has not said.
        home: Of the installation; what lies in it is ours.
    """
    ours = kubeconfig.is_relative_to(home)
    before = _existing(KubernetesCluster)
    if before is not None and ours and not _lies_in(before, home):
        return
    if before is None or before.kubeconfig_path != str(kubeconfig):
        # Another cluster: what was said of the one before, such as its context, is not of it.
        KubernetesCluster(kubeconfig_path=str(kubeconfig)).save(BLOCK_NAME, overwrite=True)
    watching = _existing(PrometheusServer)
    if prometheus_url is not None:
        _save_prometheus(watching, prometheus_url)
    elif watching is not None and watching.url.host == LOOPBACK:
        # Metrics of a simulated cluster would be taken for those of a real one.
        PrometheusServer.delete(BLOCK_NAME)


def _save_prometheus(before: PrometheusServer | None, url: str) -> None:
    """Save an address; a token, a time-out and so on that a person set for that host stay."""
    found = PrometheusServer(url=url)
    if before is not None and before.url.host == found.url.host:
        found = before.model_copy(update={"url": found.url})
    found.save(BLOCK_NAME, overwrite=True)


def _lies_in(cluster: KubernetesCluster, home: Path) -> bool:
    path = cluster.kubeconfig_path
    return path is not None and Path(path).is_relative_to(home)


def _save_stacks_blocks(*, aws_url: str, folder: Path, embedded: bool) -> None:
    changer = _existing_account(APPLY_ACCOUNT)
    if changer is None and embedded:
        changer = _embedded_account(APPLY_ACCOUNT, aws_url)
    if changer is not None and is_embedded(changer):
        _save_at(changer, APPLY_ACCOUNT, aws_url)
    if not _exists(Guardrails):
        (_trying_out() if embedded else Guardrails()).save(BLOCK_NAME)
    if embedded:
        _forget_stacks(folder)
    if embedded or not _exists(PulumiBackend):
        _backend(folder, embedded=embedded).save(BLOCK_NAME, overwrite=True)


def _trying_out() -> Guardrails:
    """Return guardrails for an account in which nothing can be broken."""
    return Guardrails(
        mode="approve",
        scopes=[ModeScope(mode="auto", kinds=["volume-type"])],
        max_resources_per_run=8,
        max_usd_per_run=5000.0,
        cooldown_hours=0.0,
        alarm_quiet_minutes=0.0,
    )


def _backend(folder: Path, *, embedded: bool) -> PulumiBackend:
    return PulumiBackend(
        url=f"file://{folder / 'state'}",
        programs=str(folder / "programs"),
        home=str(folder / "home"),
        plugins=str(plugin_folder()) if embedded else None,
    )


def _forget_stacks(folder: Path) -> None:
    """Forget the stacks of the last start: an embedded account begins anew, without them."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)  # State and programs hold what tags and launch templates hold.
    shutil.rmtree(folder / "state", ignore_errors=True)
    shutil.rmtree(folder / "programs", ignore_errors=True)
    if _exists(StackLedger):
        StackLedger().save(BLOCK_NAME, overwrite=True)


def _embedded_account(key: str, aws_url: str) -> AwsAccount:
    """Return an account whose key the embedded policy binds: what reads may not change anything."""
    return AwsAccount(
        aws_access_key_id=key,
        aws_secret_access_key=SecretStr(EMBEDDED_SECRET),
        region_name="us-east-1",
        report_bucket=REPORT_BUCKET,
        aws_client_parameters=AwsClientParameters(endpoint_url=aws_url),
    )


def _save_at(account: AwsAccount, name: str, aws_url: str) -> None:
    account.aws_client_parameters = AwsClientParameters(endpoint_url=aws_url)
    account.save(name, overwrite=True)


def is_embedded(account: AwsAccount) -> bool:
    """Return whether an account is the embedded one: its address, and the key that we gave it.

    An address on loopback alone may be a tunnel to a real one.
    """
    secret = account.aws_secret_access_key
    ours = secret is not None and secret.get_secret_value() == EMBEDDED_SECRET
    return ours and urlsplit(account.endpoint_url or "").hostname == LOOPBACK


def _exists(kind: type[Block]) -> bool:
    return _existing(kind) is not None


def _existing_account(name: str) -> AwsAccount | None:
    return _existing(AwsAccount, name)


def _existing(kind: type[B], name: str = BLOCK_NAME) -> B | None:
    try:
        return kind.load(name)  # type: ignore[return-value]
    except ValueError:
        return None


def create_bucket(account: AwsAccount) -> None:
    """Create the bucket for charts where it is missing."""
    if account.report_bucket is None:
        return
    session = account.session()
    s3: Any = session.client("s3", endpoint_url=account.endpoint_url)
    try:
        s3.create_bucket(Bucket=account.report_bucket, **_bucket_place(session.region_name))
    except botocore.exceptions.ClientError as error:
        # "BucketAlreadyExists" would be somebody else's: charts must not go there.
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise


def _bucket_place(region: str | None) -> dict[str, Any]:
    """Return where a bucket goes; S3 refuses to be told of us-east-1, its default."""
    if region in (None, "us-east-1"):
        return {}
    return {"CreateBucketConfiguration": {"LocationConstraint": region}}


def create_limits_and_pool() -> None:
    """Create the locks and the work pool where they are missing."""
    with get_client(sync_client=True) as client:
        for lock in (STATE_LOCK, UPDATES_LOCK):
            client.upsert_global_concurrency_limit_by_name(lock, limit=1)
        try:
            client.create_work_pool(WorkPoolCreate(name=WORK_POOL, type="process"))
        except ObjectAlreadyExists:
            return


@app.default
def register(
    *,
    aws_url: str,
    objects_folder: str | None = None,
    kubeconfig: Path | None = None,
    prometheus_url: str | None = None,
) -> None:
    """Create what the flows expect on the server that PREFECT_API_URL names.

    Args:
        aws_url: Endpoint of the embedded AWS.
        objects_folder: Base folder of the storage block; `objects` in the home by default.
        kubeconfig: Of the cluster to look after; none by default.
        prometheus_url: Of the Prometheus that watches it.
    """
    create_limits_and_pool()
    save_blocks(
        aws_url=aws_url,
        objects_folder=objects_folder or str(default_home() / "objects"),
        stacks_folder=str(default_home() / "stacks"),
    )
    if kubeconfig is not None:
        save_cluster_blocks(
            kubeconfig=kubeconfig, prometheus_url=prometheus_url, home=default_home()
        )


if __name__ == "__main__":
    app()

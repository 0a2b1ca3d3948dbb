"""What the command does with stacks: list, preview, propose, answer."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from deployments.local import LOOPBACK, PROJECT_ROOT, Local, running_state
from deployments.prefect_api import PrefectApi
from deployments.tools.families import find_tool

if TYPE_CHECKING:
    from tasks.adapters.pulumi.environment import EngineSettings
    from tasks.domain.stacks.preview import Preview

BLOCK_NAME = "homeostat"
STACKS = PROJECT_ROOT / "pulumi"
SIGN_SECONDS = 120


class StackCommandError(Exception):
    """A command about stacks cannot do what it was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A stack as the ledger has it."""

    name: str
    region: str
    status: str
    run_id: str
    approval_hash: str | None
    delta_usd_per_month: float | None
    message: str


def stacks(api: PrefectApi) -> list[Stack]:
    """Return every stack that the ledger knows, newest first."""
    found = (api.block("stack-ledger", BLOCK_NAME) or {}).get("stacks") or {}
    newest = sorted(found.items(), key=lambda one: str(one[1]["updated_at"]), reverse=True)
    return [_stack(name, entry) for name, entry in newest]


def _stack(name: str, entry: Mapping[str, Any]) -> Stack:
    return Stack(
        name=name,
        region=entry["region"],
        status=entry["status"],
        run_id=entry["run_id"],
        approval_hash=entry.get("approval_hash"),
        delta_usd_per_month=entry.get("delta_usd_per_month"),
        message=entry.get("message") or "",
    )


def is_embedded(api: PrefectApi) -> bool:
    """Return whether the account that is looked after is the embedded one: nothing can be broken."""
    account = api.block("aws-account", BLOCK_NAME) or {}
    endpoint = (account.get("aws_client_parameters") or {}).get("endpoint_url")
    ours = account.get("aws_access_key_id") == BLOCK_NAME
    return ours and urlsplit(endpoint or "").hostname == LOOPBACK


def waiting_stack(api: PrefectApi, name: str) -> Stack:
    """Return a stack that waits for an answer.

    Raises:
        StackCommandError: There is none of that name, or it does not wait.
    """
    known = {one.name: one for one in stacks(api)}
    if name not in known:
        said = ", ".join(known) or "none"
        message = f"there is no stack {name!r}; there are: {said}"
        raise StackCommandError(message)
    if known[name].status != "waiting":
        message = f"{name} does not wait for an answer: it is {known[name].status}"
        raise StackCommandError(message)
    return known[name]


def answer(
    api: PrefectApi,
    stack: Stack,
    *,
    approved: bool,
    approver: str,
    reason: str,
    signatures: Sequence[str],
) -> None:
    """Fill in the form of a stack that waits, with the hash that the ledger names."""
    form = {
        "decision": "approve" if approved else "reject",
        "approver": approver,
        "reason": reason,
        "hash": stack.approval_hash or "",
        "signatures": "\n".join(signatures),
    }
    api.resume(stack.run_id, form)


def signature(hash_: str, key: Path) -> str:
    """Return a signature of an approval's hash, made by `ssh-keygen` with a person's own key.

    Raises:
        StackCommandError: ssh-keygen is missing or refuses.
    """
    command = ["ssh-keygen", "-Y", "sign", "-n", "homeostat-approval", "-f", str(key)]
    try:
        done = subprocess.run(
            command,
            input=f"{hash_}\n",
            capture_output=True,
            text=True,
            timeout=SIGN_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        message = f"ssh-keygen cannot sign with {key}: {error}"
        raise StackCommandError(message) from error
    if done.returncode != 0:
        message = f"ssh-keygen refuses to sign with {key}: {done.stderr.strip()[-300:]}"
        raise StackCommandError(message)
    return done.stdout


def project_folder(name: str, *, folder: Path | None, local: Local) -> Path:
    """Return where a stack's project lies: the folder given, `pulumi/`, or the installation's.

    Raises:
        StackCommandError: Nowhere.
    """
    places = [folder] if folder is not None else [STACKS / name, local.stacks / "programs" / name]
    for place in places:
        if (place / "Pulumi.yaml").is_file():
            return place
    said = " or ".join(str(place) for place in places)
    message = (
        f"there is no project of stack {name!r} in {said}; run apply-savings, which generates it"
    )
    raise StackCommandError(message)


def preview(name: str, folder: Path, *, local: Local) -> Preview:
    """Return what a stack's change program would do, priced and held against the policy pack.

    By the engine where there is one, else an estimate. Prices are those of the day on which the
    stack was generated.
    """
    # Late: the engine's adapter and the policy pack take a second to import.
    from tasks.adapters.policy_pack import policy_findings
    from tasks.adapters.pulumi import engine, estimate
    from tasks.adapters.pulumi.environment import engine_version
    from tasks.domain.stacks.changes import Phase
    from tasks.domain.stacks.costs import cost_deltas
    from tasks.domain.stacks.quoted import PRICES_FILE, read_prices

    settings = engine_settings(local, region=_region(name, folder))
    by_engine = engine_version(settings) is not None
    look = engine.preview if by_engine else estimate.estimate
    seen = look(settings, folder, stack=name, phase=Phase.CHANGE, region=_region(name, folder))
    quoted = read_prices((folder / PRICES_FILE).read_text())
    costs = cost_deltas(seen, prices=quoted.prices, given=quoted.given)
    note = f"Prices are those of {quoted.quoted_on}, when the stack was generated."
    priced = replace(seen, costs=costs, notes=(*seen.notes, note))
    return replace(priced, findings=policy_findings(priced))


def engine_settings(local: Local, *, region: str) -> EngineSettings:
    """Return how the engine is run: for the installation that is up here, else as the shell says."""
    from tasks.adapters.pulumi.environment import AwsEnvironment, EngineSettings

    cli = find_tool("pulumi")
    if "PULUMI_BACKEND_URL" in os.environ or running_state(local) is None:
        return EngineSettings(
            backend_url=os.environ.get("PULUMI_BACKEND_URL", f"file://{local.stacks / 'state'}"),
            home=Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi"),
            passphrase=os.environ.get("PULUMI_CONFIG_PASSPHRASE", ""),
            cli=cli,
        )
    from deployments.embedded.pulumi_aws.plugin import plugin_folder

    return EngineSettings(
        backend_url=f"file://{local.stacks / 'state'}",
        home=local.stacks / "home",
        cli=cli,
        plugin_folder=plugin_folder(),
        aws=AwsEnvironment(
            region=region,
            access_key_id="homeostat",  # It may read: a preview changes nothing.
            secret_access_key="embedded",  # noqa: S106 - of the embedded account
            endpoint_url=local.aws_url,
        ),
    )


def _region(name: str, folder: Path) -> str:
    import yaml

    try:
        settings = yaml.safe_load((folder / f"Pulumi.{name}.yaml").read_text())
        return str(settings["config"]["aws:region"])
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        message = f"{folder} does not say in which region {name} is: {error!r}; generate it again"
        raise StackCommandError(message) from error


def project_files(folder: Path) -> dict[str, bytes]:
    """Return the generated files of a project by path, without what the engine left beside them."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".") and "__pycache__" not in path.parts
    }


def git_author() -> str:
    """Return who commits here, as git is told.

    Raises:
        StackCommandError: Git does not know.
    """
    found = [
        subprocess.run(
            ["git", "config", f"user.{one}"], capture_output=True, text=True, check=False
        ).stdout.strip()
        for one in ("name", "email")
    ]
    if not all(found):
        message = "git does not know who you are; set user.name and user.email"
        raise StackCommandError(message)
    return f"{found[0]} <{found[1]}>"

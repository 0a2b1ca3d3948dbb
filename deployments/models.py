"""What the command does with models: list their versions, bring an earlier one back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from deployments.local import QUIET_PREFECT, no_proxy
from deployments.prefect_api import PrefectApi

SHORT = 12
"""Characters of a hash that tell versions apart."""


class ModelCommandError(Exception):
    """A command about models cannot do what it was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a model, as the registry has it.

    Attributes:
        role: "champion", "challenger" or "previous".
        sha256: Of its bytes.
        kind: What can read it.
        trained_at: Aware UTC.
        trained_by: Flow run.
        data_sha256: Of the data that it was trained on.
        code_version: Of Homeostat, when it was trained.
        metrics: What its backtest said.
    """

    role: str
    sha256: str
    kind: str
    trained_at: datetime
    trained_by: str
    data_sha256: str
    code_version: str
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model and its versions.

    Attributes:
        name: Of the model.
        versions: The champion first, then the challenger, then earlier champions, the latest first.
        shadow_since: When the challenger's shadow period began.
        refused: Versions that are never promoted again, and why.
        message: What happened last.
    """

    name: str
    versions: tuple[Version, ...]
    shadow_since: datetime | None
    refused: Mapping[str, str]
    message: str


def client_environment() -> dict[str, str]:
    """Return what a program that uses Prefect's client in its own process needs set before it does.

    A company's proxy has no way to this machine's loopback; nothing is counted anywhere; the log of
    what was done is for runs, and people get a line of their own.
    """
    proxies = {"NO_PROXY": no_proxy(), "no_proxy": no_proxy()}
    return QUIET_PREFECT | proxies | {"PREFECT_LOGGING_LEVEL": "WARNING"}


def models(api: PrefectApi) -> list[Model]:
    """Return every model that the registry knows, by name."""
    return [_model(name, data) for name, data in sorted(api.blocks("model-registry").items())]


def roll_back(api: PrefectApi, name: str, *, reason: str) -> Model:
    """Let a model's latest earlier champion serve again, and return how the model stands then.

    Raises:
        ModelCommandError: There is no such model, or nothing to go back to.
    """
    known = {one.name: one for one in models(api)}
    if name not in known:
        said = ", ".join(known) or "none yet; `homeostat run retrain-models` trains them"
        message = f"there is no model {name!r}; there are: {said}"
        raise ModelCommandError(message)
    champions = [one.sha256 for one in known[name].versions if one.role == "champion"]
    _move_pointer(api.url, name, reason=reason, serving=champions[0] if champions else None)
    return next(one for one in models(api) if one.name == name)


def _move_pointer(url: str, name: str, *, reason: str, serving: str | None) -> None:
    # Late: importing Prefect takes a second, and listing models does not need it.
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from tasks.domain.errors import InfraError
    from tasks.models import registry

    try:
        with temporary_settings({PREFECT_API_URL: url}):
            registry.roll_back(name, reason=reason, serving=serving, now=datetime.now(UTC))
    except InfraError as error:
        raise ModelCommandError(str(error)) from error


def _model(name: str, data: Mapping[str, Any]) -> Model:
    roles = [("champion", data.get("champion")), ("challenger", data.get("challenger"))]
    roles += [("previous", one) for one in data.get("previous") or ()]
    since = data.get("shadow_since")
    return Model(
        name=name,
        versions=tuple(_version(role, entry) for role, entry in roles if entry is not None),
        shadow_since=None if since is None else datetime.fromisoformat(since),
        refused=dict(data.get("refused") or {}),
        message=data.get("message") or "",
    )


def _version(role: str, entry: Mapping[str, Any]) -> Version:
    return Version(
        role=role,
        sha256=entry["sha256"],
        kind=entry["kind"],
        trained_at=datetime.fromisoformat(entry["trained_at"]),
        trained_by=entry["trained_by"],
        data_sha256=entry["data_sha256"],
        code_version=entry["code_version"],
        metrics=dict(entry.get("metrics") or {}),
    )

"""Reading the kubeconfigs that are written for local clusters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from deployments.local_cluster.certificates import kept_certificate
from deployments.local_cluster.kubeconfig import KubeconfigError, api_client, write_kubeconfig


def test_address_and_token_are_those_of_the_current_context(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    shown, _ = kept_certificate(tmp_path)
    tokens = {"guest": "other", "admin": "secret"}
    write_kubeconfig(path, url="https://127.0.0.1:6443", ca_file=shown, tokens=tokens)

    with api_client(path) as client:
        assert str(client.base_url) == "https://127.0.0.1:6443"
        assert client.headers["Authorization"] == "Bearer secret"


def _document() -> dict[str, Any]:
    return {
        "current-context": "one",
        "contexts": [{"name": "one", "context": {"cluster": "here", "user": "me"}}],
        "clusters": [{"name": "here", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "me", "user": {"token": "secret"}}],
    }


@pytest.mark.parametrize(
    "change",
    [
        {"current-context": "two"},
        {"users": [{"name": "me", "user": {"exec": {"command": "aws"}}}]},
        {"clusters": [{"name": "here", "cluster": {}}]},
        {"contexts": None},
    ],
)
def test_a_file_that_we_did_not_write_is_refused_by_its_name(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(_document() | change))

    with pytest.raises(KubeconfigError, match=r"config is no kubeconfig of a local cluster"):
        api_client(path)


def test_a_file_that_is_not_there_is_refused_too(tmp_path: Path) -> None:
    with pytest.raises(KubeconfigError, match="nowhere"):
        api_client(tmp_path / "nowhere")

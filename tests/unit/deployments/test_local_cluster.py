"""Keys and kubeconfigs of local clusters are kept as long as they are good."""

from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from deployments.local_cluster.certificates import LIFETIME, RENEWAL, Certificate, kept_certificate
from deployments.local_cluster.credentials import (
    ADMIN,
    GUEST,
    READER,
    SIMULATOR,
    make_credentials,
)
from deployments.local_cluster.kubeconfig import write_kubeconfig
from deployments.local_cluster.roles import role_manifests

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def test_credentials_are_made_once_and_are_for_this_user_alone(tmp_path: Path) -> None:
    first = make_credentials(tmp_path)

    assert set(first.tokens) == {ADMIN, SIMULATOR, READER, GUEST}
    assert make_credentials(tmp_path) == first
    for path in (first.token_file, first.signing_key):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_kubeconfig_has_a_context_for_each_user(tmp_path: Path) -> None:
    tokens = {ADMIN: "a", READER: "r"}

    path = write_kubeconfig(
        tmp_path / "config", url="https://x", ca_file=tmp_path / "ca", tokens=tokens
    )

    config = yaml.safe_load(path.read_text())
    assert [context["name"] for context in config["contexts"]] == [ADMIN, READER]
    assert config["current-context"] == ADMIN
    assert {user["name"]: user["user"]["token"] for user in config["users"]} == tokens


def test_a_kubeconfig_is_for_this_user_alone_also_where_there_was_another(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("somebody's")
    path.chmod(0o644)

    write_kubeconfig(path, url="https://x", ca_file=tmp_path / "ca", tokens={ADMIN: "a"})

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["config"]


@pytest.mark.parametrize("later", [timedelta(0), LIFETIME - RENEWAL - timedelta(days=1)])
def test_a_certificate_is_kept_over_starts(tmp_path: Path, later: timedelta) -> None:
    first = Certificate.read(*kept_certificate(tmp_path, now=NOW))

    assert Certificate.read(*kept_certificate(tmp_path, now=NOW + later)) == first
    assert stat.S_IMODE((tmp_path / "apiserver.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("later", [LIFETIME - RENEWAL, LIFETIME, 2 * LIFETIME])
def test_a_certificate_that_has_expired_or_soon_will_is_made_anew(
    tmp_path: Path, later: timedelta
) -> None:
    first = Certificate.read(*kept_certificate(tmp_path, now=NOW))

    second = Certificate.read(*kept_certificate(tmp_path, now=NOW + later))

    assert second != first
    assert isinstance(second.context(), ssl.SSLContext)


def test_halves_of_two_certificates_are_replaced_by_a_whole_one(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    kept_certificate(one, now=NOW)
    kept_certificate(other, now=NOW)
    (one / "apiserver.key").write_bytes((other / "apiserver.key").read_bytes())

    found = Certificate.read(*kept_certificate(one, now=NOW))

    assert isinstance(found.context(), ssl.SSLContext)


@pytest.mark.parametrize("name", ["apiserver.crt", "apiserver.key"])
def test_a_file_that_was_emptied_or_lost_is_made_anew(tmp_path: Path, name: str) -> None:
    kept_certificate(tmp_path, now=NOW)
    (tmp_path / name).write_text("")
    assert isinstance(
        Certificate.read(*kept_certificate(tmp_path, now=NOW)).context(), ssl.SSLContext
    )
    (tmp_path / name).unlink()
    assert isinstance(
        Certificate.read(*kept_certificate(tmp_path, now=NOW)).context(), ssl.SSLContext
    )


def test_the_simulator_has_no_rule_that_writes_what_owners_write() -> None:
    (role,) = [one for one in role_manifests() if one["kind"] == "ClusterRole"]
    written = {
        resource
        for rule in role["rules"]
        if set(rule["verbs"]) - {"get", "list", "watch"}
        for resource in rule["resources"]
    }

    assert written == {"nodes", "pods", "nodes/status", "pods/status", "events", "leases"}

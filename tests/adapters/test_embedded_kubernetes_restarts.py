"""What a client that remembers the server before meets at the next one."""

from __future__ import annotations

from typing import Any

import httpx
import orjson
import pytest

from tests.support.embedded_kubernetes import ADMIN, EmbeddedKubernetes, embedded_kubernetes

pytestmark = pytest.mark.embedded("kubernetes")

SPACES = "/api/v1/namespaces"
MAPS = f"{SPACES}/default/configmaps"


def asked(cluster: EmbeddedKubernetes, path: str, **query: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {ADMIN}"}
    with httpx.Client(base_url=cluster.url, headers=headers, trust_env=False) as admin:
        return admin.get(path, params=query, timeout=10.0)


def first_page(cluster: EmbeddedKubernetes) -> dict[str, Any]:
    found: dict[str, Any] = asked(cluster, SPACES, limit="1").json()["metadata"]
    return found


def test_a_watch_from_before_a_restart_is_too_old_and_a_page_is_gone() -> None:
    with embedded_kubernetes() as before:
        page = first_page(before)
        last = asked(before, MAPS).json()["metadata"]["resourceVersion"]
    with embedded_kubernetes() as after:
        # A list of its own makes a number that the token has as well.
        fresh = first_page(after)
        seen = asked(after, MAPS, watch="true", resourceVersion=last, timeoutSeconds="1")
        rest = asked(after, SPACES, **{"continue": page["continue"]})

    assert int(fresh["resourceVersion"]) > int(last)
    (line,) = map(orjson.loads, seen.text.splitlines())
    assert (line["type"], line["object"]["code"]) == ("ERROR", 410)
    assert (rest.status_code, rest.json()["reason"]) == (410, "Expired")

"""Serve an empty cluster: `python -m deployments.embedded.kubernetes --folder FOLDER --port 6443`."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import Annotated

import httpx
from cyclopts import App, Parameter, validators

from deployments.control_plane.credentials import (
    ADMIN,
    Credentials,
    make_credentials,
    write_kubeconfig,
)
from deployments.control_plane.roles import RBAC, role_manifests
from deployments.embedded.kubernetes.access import MASTERS, User
from deployments.embedded.kubernetes.certificates import kept_certificate
from deployments.embedded.kubernetes.cluster import running_cluster

app = App(name="python -m deployments.embedded.kubernetes", help=__doc__)

EXIT_NOT_STARTED = 2
HOST = "127.0.0.1"


@app.default
def serve(
    *,
    folder: Path,
    port: Annotated[int, Parameter(validator=validators.Number(gte=0, lte=65535))] = 0,
) -> int:
    """Serve until told to end; over TLS, without which kubectl sends no token.

    Args:
        folder: For kubeconfig, tokens and certificate, which it keeps over starts. Objects are in memory.
        port: To listen on; 0 for a free one.
    """
    code = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        asyncio.run(_serve(folder, port))
    # A port in use is met among the tasks of the cluster, so that it comes in a group.
    except* OSError as found:
        print(f"not started: {found.exceptions[0]}", file=sys.stderr)  # noqa: T201
        code = EXIT_NOT_STARTED
    return code


async def _serve(folder: Path, port: int) -> None:
    credentials = make_credentials(folder)
    certificate, ca_file = kept_certificate(folder / "certificates")
    users = {
        token: User(name=name, groups=(MASTERS,) if name == ADMIN else ())
        for name, token in credentials.tokens.items()
    }
    ended = asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(one, ended.set)
    async with running_cluster(users, port=port, host=HOST, certificate=certificate) as bound:
        url = f"https://{HOST}:{bound}"
        await _create_roles(url, credentials, ca_file)
        path = write_kubeconfig(
            folder / "kubeconfig", url=url, ca_file=ca_file, tokens=credentials.tokens
        )
        print(f"cluster ready: {url}, kubeconfig {path}", flush=True)  # noqa: T201
        await ended.wait()


async def _create_roles(url: str, credentials: Credentials, ca_file: Path) -> None:
    headers = {"Authorization": f"Bearer {credentials.tokens[ADMIN]}"}
    async with httpx.AsyncClient(
        base_url=url, headers=headers, verify=str(ca_file), trust_env=False
    ) as client:
        for manifest in role_manifests():
            path = f"/apis/{RBAC}/v1/{manifest['kind'].lower()}s"
            (await client.post(path, json=manifest)).raise_for_status()


if __name__ == "__main__":
    raise SystemExit(app())

"""Who may speak to a cluster of this machine, and with which keys."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

ADMIN = "admin"
"""Member of system:masters: may do everything."""
SIMULATOR = "simulator"
"""Does what kubelets do: writes nodes, leases, events and the status of pods."""
READER = "reader"
"""Reads what the built-in role `view` shows."""
GUEST = "guest"
"""Is known, and may do nothing until a role says so."""

_GROUPS = {ADMIN: "system:masters", SIMULATOR: "", READER: "", GUEST: ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What the programs are given and what clients show.

    Attributes:
        tokens: User to bearer token.
        token_file: The same, as the API server reads it.
        signing_key: PEM; signs and verifies the tokens of service accounts.
        verifying_key: PEM; its public half.
    """

    tokens: Mapping[str, str]
    token_file: Path
    signing_key: Path
    verifying_key: Path


def make_credentials(folder: Path) -> Credentials:
    """Return credentials, the ones of an earlier start where the folder has them.

    Args:
        folder: Made when missing. The files are readable by this user only.
    """
    folder.mkdir(parents=True, exist_ok=True)
    token_file = folder / "tokens.csv"
    if not token_file.exists():
        rows = (
            f'{secrets.token_urlsafe(24)},{user},{user},"{groups}"\n'
            for user, groups in _GROUPS.items()
        )
        write_private(token_file, "".join(rows))
    lines = token_file.read_text().splitlines()
    return Credentials(
        tokens={user: token for token, user, *_ in (line.split(",") for line in lines)},
        token_file=token_file,
        signing_key=_signing_key(folder),
        verifying_key=folder / "service-accounts.pub",
    )


def _signing_key(folder: Path) -> Path:
    path = folder / "service-accounts.key"
    if not path.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        (folder / "service-accounts.pub").write_bytes(public)
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        write_private(path, private.decode())
    return path


def write_private(path: Path, text: str) -> None:
    """Write a file for this user's eyes only; whoever reads it finds the old or the new one, whole."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_text(text)
    new.replace(path)

"""Operations that the engine gave up, kept until it is known whether the account did them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasks.adapters.pulumi.values import SECRET_SIGNATURE, SIGNATURE

PENDING = {
    "create": "creating",
    "create-replacement": "creating",
    "update": "updating",
    "delete": "deleting",
    "delete-replaced": "deleting",
}
"""The engine's words for what is pending, by what was tried."""


class Journal:
    """A file of begun operations.

    Args:
        path: Missing where there are none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[dict[str, Any]]:
        """Return what is in it."""
        try:
            found: list[dict[str, Any]] = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return []
        return found

    def add(self, operation: str, resource: Mapping[str, Any]) -> None:
        """Write an operation down; one that changes nothing is left out."""
        kind = PENDING.get(operation)
        if kind is None:
            return
        entries = [*self.read(), {"type": kind, "resource": dict(resource)}]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(entries))
        new.replace(self._path)

    def clear(self) -> None:
        """Forget everything in it."""
        self._path.unlink(missing_ok=True)


def as_in_state(value: Any) -> Any:
    """Return inputs of an event as a state has them.

    Events have no secrets, so a word stands for each until the next refresh reads the real one.
    """
    if isinstance(value, Mapping):
        if value.get(SIGNATURE) == SECRET_SIGNATURE:
            return {SIGNATURE: SECRET_SIGNATURE, "plaintext": json.dumps("[secret]")}
        return {key: as_in_state(one) for key, one in value.items()}
    return [as_in_state(one) for one in value] if isinstance(value, list) else value

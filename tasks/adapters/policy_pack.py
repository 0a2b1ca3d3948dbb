"""The policy pack, run over a preview without the engine: the same rules that the engine runs."""

from __future__ import annotations

import importlib
import itertools
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from tasks.domain.errors import PermanentError
from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.preview import Finding, Preview, ResourceChange

SHIPPED_PACK = Path(__file__).resolve().parents[2] / "pulumi" / "policy"
SETTINGS_FILE = "policy.yaml"
OF_ENGINE = "pulumi:"
"""Types of the engine itself: the stack and its providers."""

_NUMBERS = itertools.count()


class PolicyPackError(PermanentError):
    """The policy pack cannot be run: without it nothing is approved."""


def policy_findings(
    preview: Preview, *, pack: Path = SHIPPED_PACK, settings: Mapping[str, object] | None = None
) -> tuple[Finding, ...]:
    """Return every rule of the pack that a preview breaks, mandatory ones first.

    Args:
        preview: Of the engine, or an estimate.
        pack: Folder with the pack: `rules/` and `policy.yaml`.
        settings: Instead of those in the pack's file, by name, for example "regions".

    Raises:
        PolicyPackError: Where the pack or its settings cannot be read.
    """
    document = _document(pack) | dict(settings or {})
    rules = _rules(pack)
    try:
        allowed = rules.read_settings(document)
    except ValueError as error:
        message = f"{pack / SETTINGS_FILE}: {error}; correct it"
        raise PolicyPackError(message) from error
    lines = [one for one in preview.changes if not one.token.startswith(OF_ENGINE)]
    planned = [rules.Planned(**_planned(preview, one)) for one in lines]
    found = rules.violations(planned, allowed)
    findings = [
        Finding(rule=one.rule, resource=one.resource, message=one.message, mandatory=one.mandatory)
        for one in found
    ]
    return tuple(sorted(findings, key=lambda one: not one.mandatory))


def _planned(preview: Preview, line: ResourceChange) -> dict[str, Any]:
    return {
        "name": line.name,
        "token": line.token,
        "operation": str(line.operation),
        "inputs": line.inputs_after,
        "before": line.inputs_before,
        "region": preview.region,
        "protected": line.protected,
        "undo": preview.phase is Phase.UNDO,
        "replaces": tuple(one.path for one in line.diffs if one.replaces),
    }


def _document(pack: Path) -> dict[str, object]:
    path = pack / SETTINGS_FILE
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        message = f"{path} cannot be read: {error}; mend it, or take the one that is shipped"
        raise PolicyPackError(message) from error
    if document is not None and not isinstance(document, dict):
        message = f"{path} holds {type(document).__name__}; settings are a mapping of names"
        raise PolicyPackError(message)
    return document or {}


def _rules(pack: Path) -> ModuleType:
    """Return the pack's rules as they are in the folder now."""
    try:
        found = sorted((pack / "rules").glob("*.py"))
        return _loaded(pack, tuple((one.name, one.stat().st_mtime_ns) for one in found))
    except (ImportError, SyntaxError, OSError) as error:
        message = f"no rules in {pack}: {error}; name a folder with a policy pack"
        raise PolicyPackError(message) from error


@lru_cache(maxsize=4)
def _loaded(pack: Path, _: tuple[tuple[str, int], ...]) -> ModuleType:
    """Return the rules as a package of their own that nothing else sees.

    The folder is on no path: what is in it has names such as `rules` that others may have too.
    """
    name = f"_homeostat_policy_{next(_NUMBERS)}"
    package = ModuleType(name)
    package.__path__ = [str(pack / "rules")]
    sys.modules[name] = package
    try:
        return importlib.import_module(f"{name}.pack")
    finally:
        for module in [one for one in sys.modules if one == name or one.startswith(f"{name}.")]:
            del sys.modules[module]

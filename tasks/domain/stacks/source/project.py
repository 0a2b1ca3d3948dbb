"""A stack's whole project as files: three programs, what runs them, and what explains them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from tasks.domain.savings.money import Usd
from tasks.domain.stacks.changes import Change, Phase, Refused
from tasks.domain.stacks.program import PROJECT, Resource, StackPlan
from tasks.domain.stacks.source.errors import ProgramRefusedError
from tasks.domain.stacks.source.naming import VERSION
from tasks.domain.stacks.source.plan_checks import check_notes, check_plan
from tasks.domain.stacks.source.programs import checked_source, comments_of, program_sha256
from tasks.domain.stacks.source.readme import readme_text

PULUMI_VERSION = "3.272.0"
PULUMI_AWS_VERSION = "7.51.1"
"""As in requirements.lock."""
MANIFEST = "stack.json"
MANIFEST_SCHEMA = 1

FOLDERS = {Phase.CHANGE: "", Phase.ADOPT: "adopt/", Phase.UNDO: "undo/"}
"""Of each program below the project; the change is what a plain `pulumi preview` shows."""
_SAYS = {
    Phase.ADOPT: "takes in what exists, as it is",
    Phase.CHANGE: "makes the changes",
    Phase.UNDO: "brings back what was",
}


def project_files(
    plan: StackPlan,
    *,
    pulumi_version: str = PULUMI_VERSION,
    pulumi_aws_version: str = PULUMI_AWS_VERSION,
    notes: Sequence[str] = (),
) -> dict[str, bytes]:
    """Return a stack's project by path, the same bytes for the same plan.

    Args:
        plan: What the stack is.
        pulumi_version: Of the package that the programs are run with.
        pulumi_aws_version: The same.
        notes: What else a reader of the README should know, for example where prices were read.

    Raises:
        ProgramRefusedError: A value cannot be carried; it names the resource, the value, the limit
            and the next step.
    """
    check_plan(plan)
    check_notes(notes)
    versions = {"pulumi": pulumi_version, "pulumi-aws": pulumi_aws_version}
    _check_versions(versions)
    sources = program_sources(plan)
    texts = {
        f"Pulumi.{plan.stack}.yaml": f"config:\n  aws:region: {plan.region}\n",
        "requirements.txt": "".join(f"{name}=={found}\n" for name, found in versions.items()),
        "README.md": readme_text(plan, notes=notes),
        MANIFEST: manifest_text(plan, sources),
    }
    for phase, folder in FOLDERS.items():
        texts[f"{folder}__main__.py"] = sources[phase]
        texts[f"{folder}Pulumi.yaml"] = _project_yaml(plan, phase)
    return {path: texts[path].encode() for path in sorted(texts)}


def program_sources(plan: StackPlan) -> dict[Phase, str]:
    """Return the text of each program of a checked plan, with its changes as comments."""
    comments = comments_of(plan.changes)
    written: dict[str, tuple[Resource, str]] = {}
    return {phase: checked_source(plan.program(phase), comments, written) for phase in Phase}


def manifest_text(plan: StackPlan, sources: Mapping[Phase, str]) -> str:
    """Return what machines read of a stack: its changes and the fingerprints of its programs."""
    names: dict[str, list[str]] = {}
    for resource in plan.change.resources:
        names.setdefault(resource.change_id, []).append(resource.name)
    document = {
        "schema_version": MANIFEST_SCHEMA,
        "project": PROJECT,
        "stack": plan.stack,
        "region": plan.region,
        "saving_usd_per_month": _usd(Usd.total(one.saving for one in plan.changes)),
        "programs": {
            str(phase): {
                "path": f"{FOLDERS[phase]}__main__.py",
                "sha256": program_sha256(source),
                "resources": len(plan.program(phase).resources),
            }
            for phase, source in sources.items()
        },
        "changes": [_change(one, names.get(one.change_id, [])) for one in plan.changes],
        "refused": [_refused(one) for one in plan.refused],
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _change(one: Change, resources: Sequence[str]) -> dict[str, object]:
    return {
        "change_id": one.change_id,
        "kind": str(one.kind),
        "resource": one.resource,
        "region": one.region,
        "summary": one.summary,
        "owner": one.owner,
        "reason": one.reason,
        "saving_usd_per_month": _usd(one.saving),
        **({} if one.later is None else {"later_saving_usd_per_month": _usd(one.later)}),
        "restart": one.restart,
        "reversible": one.reversible,
        "disruption": one.disruption,
        "notes": list(one.notes),
        "resources": list(resources),
    }


def _refused(one: Refused) -> dict[str, str]:
    return {"kind": str(one.kind), "resource": one.resource, "region": one.region, "why": one.why}


def _usd(amount: Usd) -> dict[str, float]:
    return {"low": amount.low, "expected": amount.expected, "high": amount.high}


def _project_yaml(plan: StackPlan, phase: Phase) -> str:
    # The words are ours and the names are checked: nothing in them means anything to YAML.
    lines = [
        f"name: {PROJECT}",
        f'description: "{plan.stack} in {plan.region}, {phase}: {_SAYS[phase]}"',
        "runtime: python",
    ]
    if FOLDERS[phase]:
        lines.append("stackConfigDir: ..")
    return "\n".join(lines) + "\n"


def _check_versions(versions: Mapping[str, str]) -> None:
    for name, found in versions.items():
        if VERSION.fullmatch(found) is None:
            raise ProgramRefusedError(
                where=f"version of {name}",
                found=found,
                allowed="numbers with dots between them",
                next_step="give a released version",
            )

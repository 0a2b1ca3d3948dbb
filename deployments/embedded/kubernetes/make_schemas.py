r"""Write `api_schemas.json.gz` from the source of Kubernetes: what every built-in kind is made of.

    python -m deployments.embedded.kubernetes.make_schemas ~/go/pkg/mod/k8s.io/kubernetes@v1.36.4 \
        ~/go/pkg/mod/k8s.io/api@v0.36.4 ~/go/pkg/mod/k8s.io/apimachinery@v0.36.4 \
        ~/go/pkg/mod/k8s.io/kube-aggregator@v0.36.4

The OpenAPI documents of Kubernetes (Apache License 2.0) say which fields there are, of which types, and
how lists are merged. Only the Go source says which numbers and switches are left out when they are zero,
and which number each field has in protobuf.
"""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

from cyclopts import App

from deployments.embedded.kubernetes.api_types import SCHEMAS
from deployments.embedded.kubernetes.kinds import BUILT_IN
from deployments.embedded.kubernetes.references import with_referenced

Json = Any
OTHERS = (
    "io.k8s.api.autoscaling.v1.Scale", "io.k8s.api.policy.v1.Eviction",
    "io.k8s.api.core.v1.Binding", "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Status", "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta",
    "io.k8s.api.authorization.v1.SelfSubjectAccessReview",
    "io.k8s.api.authorization.v1.SubjectAccessReview",
    "io.k8s.api.authorization.v1.SelfSubjectRulesReview",
)  # fmt: skip
"""Types that have no path of their own among the kinds."""
_STRUCT = re.compile(r"^type (\w+) struct \{(.*?)^\}", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r'^\s+\w+\s+([\w.]+)\s+`json:"(\w+),omitempty', re.MULTILINE)
_NUMBER = re.compile(
    r'^\s+(?:\w+\s+)?\*?([\[\]*\w.]+)\s+`json:"(\w*)[\w,]*"[^`]*?protobuf:"\w+,(\d+),', re.MULTILINE
)
SCALARS = frozenset({"int32", "int64", "bool", "string", "int", "types.UID", "float64"})

app = App(help=__doc__)


@app.default
def make(kubernetes: Path, api: Path, apimachinery: Path, aggregator: Path) -> None:
    """Write the file.

    Args:
        kubernetes: Folder of the module k8s.io/kubernetes.
        api: Of k8s.io/api.
        apimachinery: Of k8s.io/apimachinery.
        aggregator: Of k8s.io/kube-aggregator.
    """
    known: dict[str, Json] = {}
    for one in sorted((kubernetes / "api" / "openapi-spec" / "v3").glob("*.json")):
        known |= json.loads(one.read_text()).get("components", {}).get("schemas", {})
    sources = [
        *api.glob("*/*/types.go"),
        apimachinery / "pkg/apis/meta/v1/types.go",
        aggregator / "pkg/apis/apiregistration/v1/types.go",
    ]
    structures = {
        f"{one.parent.parent.name}.{one.parent.name}.{name}": inside
        for one in sources
        for name, inside in _STRUCT.findall(one.read_text())
    }
    wanted = [*OTHERS, *(name for name, schema in known.items() if _is_served(schema))]
    found = {name: _reduced(known[name]) for name in sorted(with_referenced(known, wanted))}
    for name, schema in found.items():
        _add_go(schema, structures, _go_name(name))
    content = json.dumps(found, separators=(",", ":"), sort_keys=True).encode()
    SCHEMAS.write_bytes(gzip.compress(content, mtime=0))


def _add_go(schema: Json, structures: dict[str, str], name: str) -> None:
    """Add to a schema what only the Go source says, in place."""
    inside = structures.get(name, "")
    for kind, field in _FIELD.findall(inside):
        if field in schema.get("properties", {}) and (kind in SCALARS or kind[0].isupper()):
            schema["properties"][field]["x-omitted-zero"] = True
    numbers: dict[str, Json] = {}
    for kind, field, number in _NUMBER.findall(inside):
        # The fields of an embedded structure are its own on the wire, and those of its holder in JSON.
        embedded = structures.get(f"{name.rpartition('.')[0]}.{kind}", "")
        numbers[number] = field or {inner: key for _, key, inner in _NUMBER.findall(embedded)}
    if numbers:
        schema["x-numbers"] = numbers


def _is_served(schema: Json) -> bool:
    kinds = {(one.group, one.version, one.name) for one in BUILT_IN}
    said = schema.get("x-kubernetes-group-version-kind") or ()
    return any(
        (one["group"], one["version"], one["kind"].removesuffix("List")) in kinds for one in said
    )


def _reduced(schema: Json) -> Json:
    """Return a schema without what people read, which is most of it."""
    if isinstance(schema, dict):
        return {
            key: _reduced(one)
            for key, one in schema.items()
            if not (key == "description" and isinstance(one, str))
        }
    return [_reduced(one) for one in schema] if isinstance(schema, list) else schema


def _go_name(name: str) -> str:
    """Return, for io.k8s.api.core.v1.Pod, core.v1.Pod."""
    return ".".join(name.split(".")[-3:])


if __name__ == "__main__":
    app()

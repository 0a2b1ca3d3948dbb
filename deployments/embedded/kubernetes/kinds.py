"""Which kinds of objects there are, and what each can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

STATUS = "status"
SCALE = "scale"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of objects.

    Attributes:
        group: Empty for the core group.
        version: For example v1.
        name: For example Pod.
        plural: In paths.
        namespaced: Whether an object lives in a namespace.
        short_names: What people type.
        subresources: Parts of an object with paths of their own.
        generation: Whether the object counts changes of what is wanted.
        field_selectors: Paths besides name and namespace that lists can be narrowed by.
        custom: Whether a definition made it.
        returns_deleted: Whether a deletion answers with the object.
        made_by_put: Whether a replacement of what is not there creates it.
        needs_version: Whether a replacement has to say which version it replaces.
        categories: Names for several kinds at once, such as all.
        stored_with: Group of the same objects under which they are stored; None for its own.
        schema: Of custom objects; None for those that come with the server.
        scale_paths: Where custom objects keep the parts of their scale.
        columns: Further columns of tables, each with a name, a type and a path.
    """

    group: str = ""
    version: str = "v1"
    name: str
    plural: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    generation: bool = False
    field_selectors: tuple[str, ...] = ()
    custom: bool = False
    returns_deleted: bool = False
    made_by_put: bool = False
    needs_version: bool = False
    categories: tuple[str, ...] = ()
    stored_with: str | None = None
    schema: Mapping[str, Any] | None = field(default=None, compare=False)
    scale_paths: Mapping[str, str] | None = field(default=None, compare=False)
    columns: tuple[Mapping[str, Any], ...] = field(default=(), compare=False)

    @property
    def api_version(self) -> str:
        """For example apps/v1."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def list_name(self) -> str:
        """For example PodList."""
        return f"{self.name}List"

    @property
    def key(self) -> tuple[str, str]:
        """Where its objects are stored: group and plural."""
        return self.group if self.stored_with is None else self.stored_with, self.plural

    @property
    def head(self) -> bytes:
        """With what its objects begin when they are encoded."""
        return f'{{"kind":"{self.name}","apiVersion":"{self.api_version}",'.encode()


POD_FIELDS = (
    "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
    "status.phase", "status.podIP", "status.nominatedNodeName",
)  # fmt: skip
EVENT_FIELDS = (
    "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
    "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath",
    "reason", "reportingComponent", "source", "type",
)  # fmt: skip
NEW_EVENT_FIELDS = (
    *(f"regarding{one.removeprefix('involvedObject')}" for one in EVENT_FIELDS if "." in one),
    "reason",
    "reportingController",
    "type",
)
RBAC = "rbac.authorization.k8s.io"
CRD = "apiextensions.k8s.io"
REGISTRATION = "apiregistration.k8s.io"

BUILT_IN = (
    Kind(
        name="Namespace", plural="namespaces", namespaced=False, short_names=("ns",),
        subresources=(STATUS,), field_selectors=("status.phase",), returns_deleted=True,
    ),
    Kind(
        name="Node", plural="nodes", namespaced=False, short_names=("no",),
        subresources=(STATUS,), field_selectors=("spec.unschedulable",),
    ),
    Kind(
        name="Pod", plural="pods", short_names=("po",), generation=True,
        subresources=(STATUS, "binding", "eviction", "log"),
        field_selectors=POD_FIELDS, returns_deleted=True, categories=("all",),
    ),
    Kind(name="ConfigMap", plural="configmaps", short_names=("cm",)),
    Kind(name="Secret", plural="secrets", field_selectors=("type",)),
    Kind(
        name="Service", plural="services", short_names=("svc",), subresources=(STATUS,),
        field_selectors=("spec.type", "spec.clusterIP"), returns_deleted=True, made_by_put=True,
        categories=("all",),
    ),
    Kind(name="ServiceAccount", plural="serviceaccounts", short_names=("sa",), returns_deleted=True),
    Kind(
        name="PersistentVolumeClaim", plural="persistentvolumeclaims", short_names=("pvc",),
        subresources=(STATUS,), returns_deleted=True,
    ),
    Kind(
        name="Event", plural="events", short_names=("ev",), field_selectors=EVENT_FIELDS,
        made_by_put=True,
    ),
    Kind(
        name="ResourceQuota", plural="resourcequotas", short_names=("quota",), subresources=(STATUS,),
        returns_deleted=True,
    ),
    Kind(
        group="events.k8s.io", name="Event", plural="events", short_names=("ev",), stored_with="",
        field_selectors=NEW_EVENT_FIELDS, made_by_put=True,
    ),
    Kind(
        group="apps", name="Deployment", plural="deployments", short_names=("deploy",),
        subresources=(STATUS, SCALE), generation=True, categories=("all",),
    ),
    Kind(
        group="apps", name="ReplicaSet", plural="replicasets", short_names=("rs",),
        subresources=(STATUS, SCALE), generation=True, field_selectors=("status.replicas",),
        categories=("all",),
    ),
    Kind(
        group="batch", name="Job", plural="jobs", subresources=(STATUS,), generation=True,
        field_selectors=("status.successful",), categories=("all",),
    ),
    Kind(
        group="batch", name="CronJob", plural="cronjobs", short_names=("cj",), subresources=(STATUS,),
        generation=True, categories=("all",),
    ),
    Kind(
        group="policy", name="PodDisruptionBudget", plural="poddisruptionbudgets",
        short_names=("pdb",), subresources=(STATUS,), generation=True, needs_version=True,
    ),
    Kind(
        group="autoscaling", version="v2", name="HorizontalPodAutoscaler",
        plural="horizontalpodautoscalers", short_names=("hpa",), subresources=(STATUS,),
        categories=("all",),
    ),
    Kind(
        group="networking.k8s.io", name="NetworkPolicy", plural="networkpolicies",
        short_names=("netpol",), generation=True,
    ),
    Kind(group="coordination.k8s.io", name="Lease", plural="leases", made_by_put=True, needs_version=True),
    Kind(
        group="scheduling.k8s.io", name="PriorityClass", plural="priorityclasses",
        namespaced=False, short_names=("pc",), generation=True, made_by_put=True,
    ),
    Kind(group=RBAC, name="Role", plural="roles", made_by_put=True),
    Kind(group=RBAC, name="RoleBinding", plural="rolebindings", made_by_put=True),
    Kind(group=RBAC, name="ClusterRole", plural="clusterroles", namespaced=False, made_by_put=True),
    Kind(group=RBAC, name="ClusterRoleBinding", plural="clusterrolebindings", namespaced=False, made_by_put=True),
    Kind(
        group=CRD, name="CustomResourceDefinition", plural="customresourcedefinitions",
        namespaced=False, short_names=("crd", "crds"), subresources=(STATUS,), generation=True,
        needs_version=True,
    ),
    Kind(
        group=REGISTRATION, name="APIService", plural="apiservices", namespaced=False,
        subresources=(STATUS,), needs_version=True, categories=("api-extensions",),
    ),
)  # fmt: skip


@dataclass(slots=True)
class Kinds:
    """All kinds by the path that leads to them; definitions add to the built-in ones.

    Attributes:
        listeners: Told each kind that is stored apart from all before.
    """

    _by_path: dict[tuple[str, str, str], Kind] = field(
        default_factory=lambda: {(one.group, one.version, one.plural): one for one in BUILT_IN}
    )

    listeners: list[Callable[[Kind], None]] = field(default_factory=list)
    _told: set[tuple[str, str]] = field(default_factory=set)

    def __iter__(self) -> Iterator[Kind]:
        return iter(list(self._by_path.values()))

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        """Return the kind at a path."""
        return self._by_path.get((group, version, plural))

    def built_in(self, group: str, version: str, plural: str) -> Kind:
        """Return a kind that is always there."""
        return self._by_path[group, version, plural]

    def stored(self, kind: Kind) -> Kind:
        """Return the kind as which the objects of a kind are stored."""
        if kind.stored_with is None:
            return kind
        return self._by_path[kind.stored_with, "v1", kind.plural]

    def has_group(self, group: str, version: str) -> bool:
        """Return whether there is a group, in a version."""
        return any((one[0], one[1]) == (group, version) for one in self._by_path)

    def named(self, api_version: str, name: str) -> Kind | None:
        """Return the kind of an object by what it says of itself."""
        fitting = (k for k in self if k.name == name and k.api_version == api_version)
        return next(fitting, None)

    def set_custom(self, group: str, plural: str, kinds: list[Kind]) -> None:
        """Put the versions of a definition in the place of what it had before."""
        old = [
            p
            for p, k in self._by_path.items()
            if k.custom and (k.group, k.plural) == (group, plural)
        ]
        for path in old:
            del self._by_path[path]
        self._by_path |= {(one.group, one.version, one.plural): one for one in kinds}
        for one in kinds:
            if one.key not in self._told:
                self._told.add(one.key)
                for tell in self.listeners:
                    tell(one)

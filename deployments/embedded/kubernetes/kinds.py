"""Which kinds of objects there are, and what each can do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

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
        return self.group, self.plural


POD_FIELDS = (
    "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
    "status.phase", "status.podIP", "status.nominatedNodeName",
)  # fmt: skip
EVENT_FIELDS = (
    "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
    "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath",
    "reason", "reportingComponent", "source", "type",
)  # fmt: skip
RBAC = "rbac.authorization.k8s.io"
CRD = "apiextensions.k8s.io"

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
        field_selectors=POD_FIELDS, returns_deleted=True,
    ),
    Kind(name="ConfigMap", plural="configmaps", short_names=("cm",)),
    Kind(name="Secret", plural="secrets", field_selectors=("type",)),
    Kind(
        name="Service", plural="services", short_names=("svc",), subresources=(STATUS,),
        field_selectors=("spec.type", "spec.clusterIP"), returns_deleted=True,
    ),
    Kind(name="ServiceAccount", plural="serviceaccounts", short_names=("sa",), returns_deleted=True),
    Kind(
        name="PersistentVolumeClaim", plural="persistentvolumeclaims", short_names=("pvc",),
        subresources=(STATUS,), returns_deleted=True,
    ),
    Kind(name="Event", plural="events", short_names=("ev",), field_selectors=EVENT_FIELDS),
    Kind(
        group="apps", name="Deployment", plural="deployments", short_names=("deploy",),
        subresources=(STATUS, SCALE), generation=True,
    ),
    Kind(
        group="apps", name="ReplicaSet", plural="replicasets", short_names=("rs",),
        subresources=(STATUS, SCALE), generation=True, field_selectors=("status.replicas",),
    ),
    Kind(
        group="policy", name="PodDisruptionBudget", plural="poddisruptionbudgets",
        short_names=("pdb",), subresources=(STATUS,), generation=True,
    ),
    Kind(
        group="autoscaling", version="v2", name="HorizontalPodAutoscaler",
        plural="horizontalpodautoscalers", short_names=("hpa",), subresources=(STATUS,),
    ),
    Kind(
        group="networking.k8s.io", name="NetworkPolicy", plural="networkpolicies",
        short_names=("netpol",), generation=True,
    ),
    Kind(group="coordination.k8s.io", name="Lease", plural="leases"),
    Kind(
        group="scheduling.k8s.io", name="PriorityClass", plural="priorityclasses",
        namespaced=False, short_names=("pc",), generation=True,
    ),
    Kind(group=RBAC, name="Role", plural="roles"),
    Kind(group=RBAC, name="RoleBinding", plural="rolebindings"),
    Kind(group=RBAC, name="ClusterRole", plural="clusterroles", namespaced=False),
    Kind(group=RBAC, name="ClusterRoleBinding", plural="clusterrolebindings", namespaced=False),
    Kind(
        group=CRD, name="CustomResourceDefinition", plural="customresourcedefinitions",
        namespaced=False, short_names=("crd", "crds"), subresources=(STATUS,), generation=True,
    ),
)  # fmt: skip


@dataclass(slots=True)
class Kinds:
    """All kinds by the path that leads to them; definitions add to the built-in ones."""

    _by_path: dict[tuple[str, str, str], Kind] = field(
        default_factory=lambda: {(one.group, one.version, one.plural): one for one in BUILT_IN}
    )

    def __iter__(self) -> Iterator[Kind]:
        return iter(self._by_path.values())

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        """Return the kind at a path."""
        return self._by_path.get((group, version, plural))

    def built_in(self, group: str, version: str, plural: str) -> Kind:
        """Return a kind that is always there."""
        return self._by_path[group, version, plural]

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

"""Who asks, and whether they may: bearer tokens, and roles as they are stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from deployments.embedded.kubernetes.errors import ApiError, resource_name
from deployments.embedded.kubernetes.kinds import RBAC, Kinds
from deployments.embedded.kubernetes.store import Body, Store

MASTERS = "system:masters"
AUTHENTICATED, UNAUTHENTICATED = "system:authenticated", "system:unauthenticated"
SERVICE_ACCOUNT = "system:serviceaccount:"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who asks.

    Attributes:
        name: For example system:serviceaccount:homeostat:healer.
        groups: They belong to, besides those of everybody.
    """

    name: str
    groups: tuple[str, ...] = ()

    @property
    def all_groups(self) -> tuple[str, ...]:
        """The groups, with that of everybody who is known."""
        return self.groups if UNAUTHENTICATED in self.groups else (*self.groups, AUTHENTICATED)


NOBODY = User(name="system:anonymous", groups=(UNAUTHENTICATED,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What somebody wants to do.

    Attributes:
        verb: get, list, watch, create, update, patch, delete or deletecollection.
        group: Of the kind.
        plural: Of the kind; empty for a path that is no object's.
        part: Subresource.
        namespace: Empty for all and for kinds without.
        name: Of the object; empty for none in particular.
        path: Of the request, where it is no object's.
    """

    verb: str
    group: str = ""
    plural: str = ""
    part: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


def unauthorized() -> ApiError:
    """Return the refusal of somebody unknown."""
    return ApiError(401, "Unauthorized", "Unauthorized")


ROLES = ("roles", "rolebindings", "clusterroles", "clusterrolebindings")
MOST_KNOWN = 1_000
"""Users and namespaces of which the rules are kept."""


@dataclass(slots=True)
class Access:
    """Tokens, and the roles that a cluster holds.

    Attributes:
        store: Where roles and bindings are.
        kinds: Which kinds there are.
        users: By token.
    """

    store: Store
    kinds: Kinds
    users: Mapping[str, User] = field(default_factory=dict)
    _known: dict[tuple[str, tuple[str, ...], str], list[Body]] = field(default_factory=dict)
    _known_at: tuple[int, ...] = ()

    def user(self, authorization: str) -> User:
        """Return who a header stands for; nobody where there is none.

        Raises:
            ApiError: 401.
        """
        if not authorization:
            return NOBODY
        scheme, _, token = authorization.partition(" ")
        found = self.users.get(token.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            raise unauthorized()
        return found

    def check(self, user: User, attempt: Attempt) -> None:
        """Refuse what somebody may not do.

        Raises:
            ApiError: 403, in the words of Kubernetes.
        """
        if not self.allows(user, attempt):
            raise forbidden(user, attempt)

    def allows(self, user: User, attempt: Attempt) -> bool:
        """Return whether somebody may do something."""
        if MASTERS in user.groups:
            return True
        rules = self.rules(user, attempt.namespace)
        if not attempt.plural:
            return any(_covers_path(rule, attempt) for rule in rules)
        return any(_covers(rule, attempt) for rule in rules)

    def rules(self, user: User, namespace: str) -> list[Body]:
        """Return all rules that allow something to somebody, in a namespace or at the cluster scope."""
        versions = tuple(
            self.store.shelf(self.kinds.built_in(RBAC, "v1", plural)).version for plural in ROLES
        )
        if versions != self._known_at or len(self._known) > MOST_KNOWN:
            self._known, self._known_at = {}, versions
        key = (user.name, user.groups, namespace)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = [
                *self._bound(user, "clusterrolebindings", ""),
                *(self._bound(user, "rolebindings", namespace) if namespace else ()),
            ]
        return found

    def _bound(self, user: User, plural: str, namespace: str) -> Iterator[Body]:
        for entry in self.store.list(self.kinds.built_in(RBAC, "v1", plural), namespace):
            binding = entry.body()
            if any(_means(one, user, namespace) for one in binding.get("subjects") or ()):
                yield from self.role(binding["roleRef"], entry.namespace)

    def role(self, reference: Mapping[str, str], namespace: str) -> list[Body]:
        """Return the rules of the role that a binding names; none where it is not there."""
        plural = "roles" if reference["kind"] == "Role" else "clusterroles"
        place = namespace if plural == "roles" else ""
        kind = self.kinds.built_in(RBAC, "v1", plural)
        found = self.store.get(kind, place, reference["name"])
        return [] if found is None else found.body().get("rules") or []


def _means(subject: Mapping[str, str], user: User, namespace: str) -> bool:
    match subject["kind"]:
        case "User":
            return subject["name"] == user.name
        case "Group":
            return subject["name"] in user.all_groups
        case _:
            place = subject.get("namespace") or namespace
            return user.name == f"{SERVICE_ACCOUNT}{place}:{subject['name']}"


def _covers(rule: Body, attempt: Attempt) -> bool:
    resource = f"{attempt.plural}/{attempt.part}" if attempt.part else attempt.plural
    names = rule.get("resourceNames") or ()
    resources = rule.get("resources") or ()
    return (
        _has(rule.get("verbs"), attempt.verb)
        and _has(rule.get("apiGroups"), attempt.group)
        and (_has(resources, resource) or f"*/{attempt.part}" in resources)
        and (not names or attempt.name in names)
    )


def _covers_path(rule: Body, attempt: Attempt) -> bool:
    if not _has(rule.get("verbs"), attempt.verb):
        return False
    return any(
        one in ("*", attempt.path) or (one.endswith("*") and attempt.path.startswith(one[:-1]))
        for one in rule.get("nonResourceURLs") or ()
    )


def _has(known: object, wanted: str) -> bool:
    return isinstance(known, list | tuple) and ("*" in known or wanted in known)


def forbidden(user: User, attempt: Attempt) -> ApiError:
    """Return the refusal of what somebody may not do."""
    if not attempt.plural:
        message = f'forbidden: User "{user.name}" cannot {attempt.verb} path "{attempt.path}"'
        return ApiError(403, "Forbidden", message, details={})
    resource = f"{attempt.plural}/{attempt.part}" if attempt.part else attempt.plural
    scope = (
        f'in the namespace "{attempt.namespace}"' if attempt.namespace else "at the cluster scope"
    )
    called = resource_name(attempt.plural, attempt.group)
    what = f'{called} "{attempt.name}"' if attempt.name else called
    message = (
        f'{what} is forbidden: User "{user.name}" cannot {attempt.verb} resource "{resource}" in API '
        f'group "{attempt.group}" {scope}'
    )
    details = {"name": attempt.name, "group": attempt.group, "kind": attempt.plural}
    return ApiError(403, "Forbidden", message, details={k: v for k, v in details.items() if v})

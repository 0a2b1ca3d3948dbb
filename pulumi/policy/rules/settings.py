"""What the rules allow: a plain YAML file that people edit, checked where it is read."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

LEVELS = ("mandatory", "advice", "off")


class SettingsError(ValueError):
    """A setting is not one, or is out of bounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is allowed.

    Attributes:
        regions: Allowed ones; empty for every region.
        required_tags: On whatever is created or changed and can have tags.
        largest_vcpus: Of an instance type that is created or grown to.
        allowed_types: Instance types beyond that, with * and ?.
        open_ports: TCP ports that anybody may reach.
        public_routes: Routes of an API may go without authorization.
        longest_retention_days: Of a log group.
        levels: For a rule by name: "mandatory", "advice" or "off"; mandatory where not given.
    """

    regions: tuple[str, ...] = ()
    required_tags: tuple[str, ...] = ("homeostat/change-id", "homeostat/reason")
    largest_vcpus: int = 16
    allowed_types: tuple[str, ...] = ()
    open_ports: tuple[int, ...] = ()
    public_routes: bool = False
    longest_retention_days: int = 400
    levels: Mapping[str, str] = field(default_factory=dict)


def settings_of(document: Any, *, rules: Collection[str]) -> Settings:
    """Return the settings of a parsed file; what is left out keeps its default.

    Args:
        document: A mapping; None for an empty file.
        rules: Names of the rules that there are.

    Raises:
        SettingsError: With the setting, what was found and what it may be.
    """
    given = {} if document is None else document
    if not isinstance(given, Mapping):
        msg = f"settings are a mapping of names, not {given!r:.100}"
        raise SettingsError(msg)
    known = [one.name for one in fields(Settings)]
    for name in given:
        if name not in known:
            msg = f"unknown setting {name!r:.100}; there are {', '.join(known)}"
            raise SettingsError(msg)
    settings = Settings(**{name: _READ[name](name, value) for name, value in given.items()})
    for rule in settings.levels:
        if rule not in rules:
            msg = f"levels: unknown rule {rule!r:.100}; there are {', '.join(rules)}"
            raise SettingsError(msg)
    return settings


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)) or not all(isinstance(one, str) for one in value):
        msg = f"{name} is a list of texts, not {value!r:.100}"
        raise SettingsError(msg)
    return tuple(value)


def _ports(name: str, value: Any) -> tuple[int, ...]:
    if value is not None and not isinstance(value, (list, tuple)):
        msg = f"{name} is a list of port numbers, not {value!r:.100}"
        raise SettingsError(msg)
    return tuple(_whole(name, port, most=65_535) for port in value or ())


def _whole(name: str, value: Any, *, most: int = 100_000) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        msg = f"{name} is a whole number from 1 to {most}, not {value!r:.100}"
        raise SettingsError(msg)
    return value


def _yes(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        msg = f"{name} is true or false, not {value!r:.100}"
        raise SettingsError(msg)
    return value


def _levels(name: str, value: Any) -> Mapping[str, str]:
    given = {} if value is None else value
    if not isinstance(given, Mapping):
        msg = f"{name} is a mapping of rules to levels, not {value!r:.100}"
        raise SettingsError(msg)
    # YAML reads a bare `off` as false.
    found = {str(rule): "off" if level is False else level for rule, level in given.items()}
    for rule, level in found.items():
        if level not in LEVELS:
            msg = f"{name}: {rule} is {' or '.join(LEVELS)}, not {level!r:.100}"
            raise SettingsError(msg)
    return found


_READ: Mapping[str, Callable[[str, Any], Any]] = {
    "regions": _texts,
    "required_tags": _texts,
    "largest_vcpus": _whole,
    "allowed_types": _texts,
    "open_ports": _ports,
    "public_routes": _yes,
    "longest_retention_days": _whole,
    "levels": _levels,
}

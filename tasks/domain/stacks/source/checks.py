"""What a value has to be so that a program, Pulumi's engine and AWS all carry it unchanged."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tasks.domain.stacks.program import Args, Attribute, Joined, JsonText, SourceArchive
from tasks.domain.stacks.source.errors import ProgramRefusedError
from tasks.domain.stacks.source.naming import is_args_class, is_field, is_path

VALUE_LIMIT_BYTES = 32 * 1024
"""16 KiB of user data take 22 KiB in base64; nothing else of AWS's is longer."""
FILE_LIMIT_BYTES = 64 * 1024
SHORT_LIMIT_BYTES = 1024
"""Of keys, ids and names of exports."""
LARGEST_WHOLE = 2**53
"""Numbers travel to the engine as binary floating point: beyond this they lose digits."""
LEVELS = 16
VALUES = 2000
"""Of one resource, with everything nested in it."""

_NOT_CARRIED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_READ_AS_UNKNOWN = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
"""Pulumi's marks on the wire for what is not known yet (sdk/go/common/resource/plugin/rpc.go)."""
_READ_AS_SIGNATURE = frozenset({"4dabf18193072939515e22adb298388d", "__defaults"})
"""Keys by which the engine takes a mapping for a file, a secret or a reference."""


def check_text(text: object, *, where: str, limit_bytes: int) -> None:
    """Refuse a text that is too long or cannot be written in UTF-8 and in XML."""
    if not isinstance(text, str):
        raise ProgramRefusedError(
            where=where, found=text, allowed="a text", next_step="give it as a text"
        )
    if len(text) > limit_bytes or (not text.isascii() and _bytes(text) > limit_bytes):
        raise ProgramRefusedError(
            where=where,
            found=text,
            allowed=f"at most {limit_bytes:,} bytes of UTF-8",
            next_step="shorten it where it comes from, or leave the resource out",
        )
    if (found := _NOT_CARRIED.search(text)) is not None:
        raise ProgramRefusedError(
            where=where,
            found=text,
            allowed="no control characters but tab and line ends, no half surrogate pairs "
            f"(U+{ord(found[0]):04X} at {found.start()}): AWS cannot store them",
            next_step="remove the character where the text comes from",
        )


def _bytes(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))


@dataclass(slots=True, kw_only=True)
class ValueChecks:
    """Checks of the inputs of one resource.

    Attributes:
        resource: Its logical name, for refusals.
        known: Logical names that come before it: only those can be referred to.
        values: How many were checked.
    """

    resource: str
    known: frozenset[str] | set[str] = field(default_factory=set)
    values: int = 0

    def check_inputs(self, inputs: Mapping[str, object]) -> None:
        """Refuse what cannot be carried in a resource's inputs."""
        self._check_fields(inputs, "inputs", 0)

    def check_attribute(self, value: Attribute, where: str) -> None:
        """Refuse a reference to what is not there, or comes later."""
        if value.resource not in self.known:
            raise ProgramRefusedError(
                where=self._where(where),
                found=value.resource,
                allowed="a reference to a resource that comes before it",
                next_step="put the other resource first, or name one that there is",
            )
        if not is_field(value.name):
            raise self._refused(where, value.name, "an output's name in Python, in snake_case")

    def _check_fields(self, fields: Mapping[str, object], where: str, level: int) -> None:
        for name, value in fields.items():
            if not is_field(name):
                raise self._refused(where, name, "an input's name in Python, in snake_case")
            self._check(value, name if where == "inputs" else f"{where}.{name}", level + 1)

    def _check(self, value: object, where: str, level: int, *, document: bool = False) -> None:
        self._count(where, level)
        if isinstance(value, str):
            self._check_carried(value, where)
        elif isinstance(value, bool) or (value is None and document):
            return
        elif isinstance(value, int | float):
            self._check_number(value, where)
        elif isinstance(value, Attribute):
            self.check_attribute(value, where)
        elif isinstance(value, Joined):
            self._check_joined(value, where)
        elif isinstance(value, Mapping):
            self._check_mapping(value, where, level, document=document)
        elif isinstance(value, tuple):
            for position, one in enumerate(value):
                self._check(one, f"{where}[{position}]", level + 1, document=document)
        elif document or not self._check_typed(value, where, level):
            raise self._refused(where, value, "a text, a number, a reference, a list or a mapping")

    def _check_typed(self, value: object, where: str, level: int) -> bool:
        if isinstance(value, JsonText):
            self._check(value.document, where, level + 1, document=True)
        elif isinstance(value, SourceArchive):
            self._check_files(value, where)
        elif isinstance(value, Args):
            if not is_args_class(value.of):
                raise self._refused(where, value.of, "the name of a class that ends with Args")
            self._check_fields(value.fields, where, level)
        else:
            return False
        return True

    def _check_carried(self, text: str, where: str) -> None:
        check_text(text, where=self._where(where), limit_bytes=VALUE_LIMIT_BYTES)
        if text in _READ_AS_UNKNOWN:
            raise self._refused(where, text, "no mark that the engine reads as not known yet")

    def _check_number(self, value: float, where: str) -> None:
        if isinstance(value, int):
            if abs(value) > LARGEST_WHOLE:
                allowed = f"whole numbers up to {LARGEST_WHOLE:,} either way"
                raise self._refused(where, value, allowed)
        elif not math.isfinite(value):
            raise self._refused(where, value, "a finite number")

    def _check_joined(self, value: Joined, where: str) -> None:
        for part in value.parts:
            if isinstance(part, Attribute):
                self.check_attribute(part, where)
            else:
                check_text(part, where=self._where(where), limit_bytes=VALUE_LIMIT_BYTES)

    def _check_mapping(
        self, value: Mapping[str, object], where: str, level: int, *, document: bool
    ) -> None:
        for key, one in value.items():
            check_text(key, where=self._where(where), limit_bytes=SHORT_LIMIT_BYTES)
            if key in _READ_AS_SIGNATURE:
                raise self._refused(where, key, "no key that the engine reads as a mark of its own")
            self._check(one, f"{where}.{key}", level + 1, document=document)

    def _check_files(self, value: SourceArchive, where: str) -> None:
        for path, text in value.files.items():
            if not is_path(path):
                raise self._refused(
                    where, path, "a relative path of letters, digits, dots, dashes and underscores"
                )
            self._count(where, 0)
            check_text(text, where=self._where(f"{where}/{path}"), limit_bytes=FILE_LIMIT_BYTES)

    def _count(self, where: str, level: int) -> None:
        self.values += 1
        if level > LEVELS:
            raise self._refused(where[:200], level, f"at most {LEVELS} levels of nesting")
        if self.values > VALUES:
            raise self._refused(where, self.values, f"at most {VALUES:,} values in a resource")

    def _where(self, where: str) -> str:
        return f"resource {self.resource}, {where}"

    def _refused(self, where: str, found: object, allowed: str) -> ProgramRefusedError:
        return ProgramRefusedError(
            where=self._where(where),
            found=found,
            allowed=allowed,
            next_step="correct the value where it comes from, or leave the resource out",
        )

"""Who may sign approvals, and signatures as people paste them.

Signers are in OpenSSH's allowed_signers format, of which less is accepted than OpenSSH does. One key
belongs to one name, spelt out: with patterns, lists of names or certificate authorities, two
signatures could be those of one person.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass

from tasks.domain.errors import PermanentError

MAX_SIGNATURES = 20
"""Of one answer: each costs two processes."""
MAX_SIGNATURE_CHARS = 8000
"""RSA of 16,384 bits needs about 5,700."""
_LINE = re.compile(
    r"(?P<principal>\S+)[ \t]+"
    r'(?:(?P<options>(?:[^\s"]|"[^"]*")+)[ \t]+)?'
    r"(?P<type>ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)"
    r"|sk-ssh-ed25519@openssh\.com|sk-ecdsa-sha2-nistp256@openssh\.com)[ \t]+"
    r"(?P<key>[A-Za-z0-9+/]+={0,2})(?:[ \t].*)?"
)
_PRINCIPAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")
_OPTION = re.compile(
    r'namespaces="[A-Za-z0-9@.,_-]+"|valid-(?:after|before)="?\d{8}(?:\d{4}(?:\d{2})?)?Z?"?'
)
_ARMOUR = re.compile(r"-----BEGIN SSH SIGNATURE-----([A-Za-z0-9+/=\s]*)-----END SSH SIGNATURE-----")


class SignersError(PermanentError):
    """The list of allowed signers cannot be used."""

    def __init__(self, line: int, problem: str) -> None:
        self.line = line
        super().__init__(f"allowed_signers, line {line}: {problem}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A key that may sign.

    Attributes:
        principal: Whose it is: an e-mail address or a name.
        options: "namespaces", "valid-after" and "valid-before" as written; empty for none.
            Times without Z are UTC as well.
        key_type: For example "ssh-ed25519".
        key: Public, base64.
    """

    principal: str
    options: str
    key_type: str
    key: str

    @property
    def line(self) -> str:
        """The signer as a line of an allowed_signers file."""
        return " ".join(part for part in self._parts() if part)

    def _parts(self) -> tuple[str, ...]:
        return self.principal, self.options, self.key_type, self.key


def allowed_signers(text: str) -> tuple[Signer, ...]:
    """Return the signers of a list; a name may have several keys.

    Raises:
        SignersError: A line is not understood, has a name that is a pattern or a list, an option
            other than those of `Signer`, or a key that is another's as well.
    """
    found: list[Signer] = []
    owners: dict[bytes, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.strip().startswith("#"):
            continue
        signer = _signer(line.strip(), number)
        owner = owners.setdefault(_key_bytes(signer, number), signer.principal)
        if owner != signer.principal:
            problem = f"the key of {signer.principal} is that of {owner} too; one name for a key"
            raise SignersError(number, problem)
        found.append(signer)
    return tuple(found)


def too_few_signers(text: str, *, needed: int) -> str | None:
    """Return why an approval could never be signed; None where there are enough people.

    To be asked before people are: an answer that cannot count is waited for in vain.

    Args:
        text: The list of allowed signers.
        needed: How many of them have to sign; 0 where the form is enough.

    Raises:
        SignersError: The list cannot be used.
    """
    people = {one.principal for one in allowed_signers(text)} if needed else set()
    if len(people) >= needed:
        return None
    return (
        f"{needed} allowed signers have to sign and allowed_signers names {len(people)}: add lines "
        "'name key-type key' to the Guardrails block"
    )


def _signer(line: str, number: int) -> Signer:
    parts = _LINE.fullmatch(line)
    if parts is None:
        problem = "expected 'name key-type key', as in 'ada@example.org ssh-ed25519 AAAA...'"
        raise SignersError(number, problem)
    principal, options = parts["principal"], parts["options"] or ""
    if not _PRINCIPAL.fullmatch(principal):
        problem = f"{principal[:60]!r} is not one plain name; give each person a line of their own"
        raise SignersError(number, problem)
    for option in re.findall(r'(?:[^,"]|"[^"]*")+', options):
        if not _OPTION.fullmatch(option):
            problem = (
                f"option {option[:60]!r} is not accepted; "
                'use namespaces="...", valid-after="YYYYMMDD", valid-before="YYYYMMDD" or none'
            )
            raise SignersError(number, problem)
    return Signer(principal=principal, options=options, key_type=parts["type"], key=parts["key"])


def _key_bytes(signer: Signer, number: int) -> bytes:
    """Return the key itself: its base64 could be written in more than one way."""
    try:
        key = base64.b64decode(signer.key, validate=True)
    except binascii.Error as error:
        raise SignersError(
            number, f"the key of {signer.principal} is cut short: {error}"
        ) from error
    if not key[4:].startswith(signer.key_type.encode()):
        raise SignersError(number, f"the key of {signer.principal} is not {signer.key_type}")
    return key


def signatures_in(texts: Iterable[str]) -> tuple[str, ...]:
    """Return every armoured signature in what people pasted, each once, in order.

    A form may have eaten the line breaks or added spaces: only the base64 between the marks
    counts.

    Raises:
        PermanentError: There are more than MAX_SIGNATURES.
    """
    bodies = (re.sub(r"\s", "", body) for text in texts for body in _ARMOUR.findall(text))
    found = dict.fromkeys(_armoured(body) for body in bodies if len(body) <= MAX_SIGNATURE_CHARS)
    if len(found) > MAX_SIGNATURES:
        message = f"{len(found)} signatures, at most {MAX_SIGNATURES} are looked at; leave some out"
        raise PermanentError(message)
    return tuple(found)


def _armoured(body: str) -> str:
    lines = (body[start : start + 70] for start in range(0, len(body), 70))
    return "\n".join(("-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----", ""))

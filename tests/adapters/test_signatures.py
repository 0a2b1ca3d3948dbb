"""Signatures made and verified by the real ssh-keygen."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tasks.adapters.signatures import SigningToolMissingError, verified_signers
from tasks.domain.errors import PermanentError, TransientError
from tasks.domain.guardrails.signers import SignersError, too_few_signers
from tasks.domain.stacks.approval import NAMESPACE, sha256, signed_text
from tasks.domain.stacks.approval_text import sign_command

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MESSAGE = signed_text(sha256("what is approved"))
ToolPath = Callable[[str], Path]


class Keys:
    """Keys in a folder, made as they are asked for."""

    def __init__(self, folder: Path, program: Path) -> None:
        self.folder, self.program = folder, str(program)

    def public(self, name: str, kind: str = "ed25519") -> str:
        file = self.folder / name
        if not file.exists():
            make = [self.program, "-q", "-t", kind, "-N", "", "-C", name, "-f", str(file)]
            subprocess.run(make, check=True, timeout=30)
        return " ".join(file.with_suffix(".pub").read_text().split()[:2])

    def sign(self, name: str, message: bytes = MESSAGE, namespace: str = NAMESPACE) -> str:
        self.public(name)
        sign = [self.program, "-Y", "sign", "-n", namespace, "-f", str(self.folder / name)]
        done = subprocess.run(sign, input=message, capture_output=True, check=True, timeout=30)
        return done.stdout.decode()

    def allowed(self, *lines: tuple[str, str], options: str = "") -> str:
        return "\n".join(f"{who} {options} {self.public(key)}" for who, key in lines)


@pytest.fixture
def keys(tmp_path: Path, tool_path: ToolPath) -> Keys:
    return Keys(tmp_path, tool_path("ssh-keygen"))


def signers(allowed: str, *signatures: str, at: datetime = NOW) -> set[str]:
    return set(verified_signers(MESSAGE, signatures, allowed_signers=allowed, at=at))


@pytest.mark.real("ssh-keygen")
def test_everyone_who_signed_is_named(keys: Keys) -> None:
    allowed = keys.allowed(("ada@example.org", "ada"), ("bob", "bob"), ("cleo", "cleo"))

    assert signers(allowed, keys.sign("ada"), keys.sign("bob")) == {"ada@example.org", "bob"}


@pytest.mark.real("ssh-keygen")
def test_the_command_that_approvers_are_told_makes_a_signature_that_counts(keys: Keys) -> None:
    allowed = keys.allowed(("ada", "ada"))
    command = sign_command(sha256("what is approved")).replace("KEY", str(keys.folder / "ada"))

    done = subprocess.run(["sh", "-c", command], capture_output=True, check=True, timeout=30)

    assert signers(allowed, done.stdout.decode()) == {"ada"}


@pytest.mark.real("ssh-keygen")
def test_one_person_counts_once_with_one_key_or_with_two(keys: Keys) -> None:
    allowed = keys.allowed(("ada", "ada"), ("ada", "ada-laptop"), ("bob", "bob"))

    assert signers(allowed, keys.sign("ada"), keys.sign("ada")) == {"ada"}
    assert signers(allowed, keys.sign("ada"), keys.sign("ada-laptop")) == {"ada"}


@pytest.mark.real("ssh-keygen")
def test_a_key_listed_twice_for_one_person_is_understood(keys: Keys) -> None:
    allowed = keys.allowed(("ada", "ada"), ("ada", "ada"))

    assert signers(allowed, keys.sign("ada")) == {"ada"}


@pytest.mark.real("ssh-keygen")
def test_a_stranger_counts_for_nothing(keys: Keys) -> None:
    assert signers(keys.allowed(("ada", "ada")), keys.sign("mallory")) == set()


@pytest.mark.real("ssh-keygen")
@pytest.mark.parametrize(
    "message",
    [b"", MESSAGE.strip(), MESSAGE.upper(), MESSAGE + b"\n", signed_text(sha256("another"))],
)
def test_a_signature_of_another_text_counts_for_nothing(keys: Keys, message: bytes) -> None:
    assert signers(keys.allowed(("ada", "ada")), keys.sign("ada", message)) == set()


@pytest.mark.real("ssh-keygen")
@pytest.mark.parametrize("namespace", ["git", "file", "homeostat", "homeostat-approvals"])
def test_a_signature_for_another_purpose_counts_for_nothing(keys: Keys, namespace: str) -> None:
    allowed = keys.allowed(("ada", "ada"))

    assert signers(allowed, keys.sign("ada", namespace=namespace)) == set()


@pytest.mark.real("ssh-keygen")
def test_a_key_allowed_for_another_purpose_only_counts_for_nothing(keys: Keys) -> None:
    allowed = keys.allowed(("ada", "ada"), options='namespaces="git"')

    assert signers(allowed, keys.sign("ada")) == set()


@pytest.mark.real("ssh-keygen")
def test_a_key_counts_only_while_it_is_valid(keys: Keys) -> None:
    options = 'valid-after="20260301",valid-before="20260303"'
    allowed = keys.allowed(("ada", "ada"), options=options)
    signature = keys.sign("ada")

    assert signers(allowed, signature, at=datetime(2026, 2, 28, 23, 59, tzinfo=UTC)) == set()
    assert signers(allowed, signature, at=NOW) == {"ada"}
    assert signers(allowed, signature, at=datetime(2026, 3, 3, 0, 1, tzinfo=UTC)) == set()


@pytest.mark.real("ssh-keygen")
def test_a_form_that_eats_line_breaks_does_no_harm(keys: Keys) -> None:
    allowed = keys.allowed(("ada", "ada"), ("bob", "bob"))
    ada, bob = keys.sign("ada"), keys.sign("bob")

    assert signers(allowed, " ".join(f"{ada}\n{bob}".split("\n"))) == {"ada", "bob"}
    assert signers(allowed, f"Mine: {ada}".replace("\n", "\r\n  ")) == {"ada"}


@pytest.mark.real("ssh-keygen")
@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_other_kinds_of_keys_can_sign(keys: Keys, kind: str) -> None:
    keys.public("ada", kind)

    assert signers(keys.allowed(("ada", "ada")), keys.sign("ada")) == {"ada"}


@pytest.mark.real("ssh-keygen")
def test_what_is_no_signature_counts_for_nothing(keys: Keys) -> None:
    allowed, good = keys.allowed(("ada", "ada")), keys.sign("ada")
    cut = good.replace(good.splitlines()[2], "")
    other = good.replace(good.splitlines()[1], good.splitlines()[1].swapcase())
    for text in ("", "ada", "-----BEGIN SSH SIGNATURE-----", cut, other, good[:100], "\x00" * 9):
        assert signers(allowed, text) == set(), text


@pytest.mark.real("ssh-keygen")
def test_names_that_look_like_options_or_patterns_are_refused(keys: Keys) -> None:
    for name in ("-I", "*", "ada,bob", "*@example.org", "!ada", '"ada"', "ada;rm", "../ada"):
        with pytest.raises(SignersError, match="line 1"):
            signers(keys.allowed((name, "ada")), keys.sign("ada"))


@pytest.mark.real("ssh-keygen")
def test_one_key_for_two_people_is_refused(keys: Keys) -> None:
    with pytest.raises(SignersError, match="the key of bob is that of ada too"):
        signers(keys.allowed(("ada", "ada"), ("bob", "ada")), keys.sign("ada"))


@pytest.mark.real("ssh-keygen")
def test_a_certificate_authority_is_refused(keys: Keys) -> None:
    with pytest.raises(SignersError, match="cert-authority"):
        signers(keys.allowed(("ada", "ada"), options="cert-authority"), keys.sign("ada"))


def armoured(text: str = "AAAA") -> str:
    return f"-----BEGIN SSH SIGNATURE-----\n{text}\n-----END SSH SIGNATURE-----\n"


ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFWGFhgnb9fgMI3L8Ls4UOgMfw3YCIGfvBjLfQdg+AuL"


def verify_with(program: str, at: datetime = NOW, timeout: float = 20.0) -> frozenset[str]:
    return verified_signers(
        MESSAGE,
        [armoured()],
        allowed_signers=f"ada {ED25519}",
        at=at,
        program=program,
        timeout_seconds=timeout,
    )


def test_without_ssh_keygen_nothing_is_verified_and_the_next_step_is_said() -> None:
    with pytest.raises(SigningToolMissingError, match="install the OpenSSH client"):
        verify_with("no-such-ssh-keygen")


def test_a_program_that_is_none_is_an_error_and_not_a_bad_signature(tmp_path: Path) -> None:
    (tmp_path / "ssh-keygen").write_text("")

    with pytest.raises(PermanentError, match="cannot be run"):
        verify_with(str(tmp_path / "ssh-keygen"))


@pytest.mark.parametrize("said", ["No user exists for uid 1234", "unknown option -- Y"])
def test_an_ssh_keygen_that_cannot_verify_is_an_error_and_not_a_bad_signature(
    tmp_path: Path, said: str
) -> None:
    program = tmp_path / "ssh-keygen"
    program.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 255\n")
    program.chmod(0o700)

    with pytest.raises(PermanentError, match=said):
        verify_with(str(program))


def test_an_ssh_keygen_that_hangs_is_given_up(tmp_path: Path) -> None:
    program = tmp_path / "ssh-keygen"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o700)

    with pytest.raises(TransientError, match=r"did not answer in 0\.05 s"):
        verify_with(str(program), timeout=0.05)


def test_a_clock_without_a_zone_is_refused() -> None:
    with pytest.raises(PermanentError, match="no time zone"):
        verify_with("ssh-keygen", at=datetime(2026, 3, 2))  # noqa: DTZ001 - what is refused


def test_nobody_signed_where_nobody_may() -> None:
    assert verified_signers(MESSAGE, [armoured()], allowed_signers="# none yet\n", at=NOW) == set()
    assert verified_signers(MESSAGE, [], allowed_signers=f"ada {ED25519}", at=NOW) == set()


def test_more_signatures_than_anybody_needs_are_refused() -> None:
    many = [armoured(f"AAA{chr(65 + at)}") for at in range(21)]

    with pytest.raises(PermanentError, match="21 signatures, at most 20"):
        verified_signers(MESSAGE, many, allowed_signers=f"ada {ED25519}", at=NOW)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("ada", "expected"),
        (f"{ED25519}", "expected"),
        ("ada ssh-ed25519 AAAA", "is not ssh-ed25519"),
        (f"ada {ED25519[:-1]}", "cut short"),
        (f"ada ssh-rsa {ED25519.split()[1]}", "is not ssh-rsa"),
        (f"ada ssh-dss {ED25519.split()[1]}", "expected"),
        (f'ada valid-before="tomorrow" {ED25519}', "is not accepted"),
        (f"ada namespaces=* {ED25519}", "is not accepted"),
        (f"\u0430da {ED25519}", "not one plain name"),
    ],
)
def test_a_line_that_is_not_understood_is_named(line: str, problem: str) -> None:
    with pytest.raises(SignersError, match=problem) as caught:
        verified_signers(MESSAGE, [], allowed_signers=f"# team\n{line}", at=NOW)
    assert caught.value.line == 2


def test_too_few_people_are_said_before_anybody_is_asked() -> None:
    one = f"ada {ED25519}\nada {ED25519}"

    assert too_few_signers(one, needed=1) is None
    assert too_few_signers("", needed=0) is None
    assert "2 allowed signers have to sign and allowed_signers names 1" in str(
        too_few_signers(one, needed=2)
    )

"""How the engine is reached, and the environment in which it runs."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from tasks.domain.errors import PermanentError

VERSION_TIMEOUT_SECONDS = 30
STACK_VARIABLE = "HOMEOSTAT_ENGINE_STACK"
"""Backend and stack on which a process works: inherited by everything that it starts."""
NOT_INHERITED = ("PULUMI_", "AWS_")
PYTHON_VARIABLE = "HOMEOSTAT_PYTHON"
"""Interpreter of providers that are written in Python."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsEnvironment:
    """Credentials of the provider.

    Attributes:
        endpoint_url: Of every service; None for AWS itself.
    """

    region: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    endpoint_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """Where the engine is, and where it keeps its state.

    Attributes:
        backend_url: For example "file:///var/lib/homeostat/stacks" or "s3://bucket". A folder is made
            when it is missing.
        home: Folder for the engine's own files; made when it is missing.
        passphrase: Encrypts secrets in the state; may be empty.
        access_token: Of a Pulumi service; None for other backends.
        cli: The `pulumi` command; None for the first on PATH.
        plugin_folder: With a provider's plugin in it; None for the engine's own, which it downloads.
        aws: None for whatever AWS_ variables this process has.
        variables: Further ones for the provider.
        timeout_seconds: After which an operation is stopped; above 0.
    """

    backend_url: str
    home: Path
    passphrase: str = field(default="", repr=False)
    access_token: str | None = field(default=None, repr=False)
    cli: Path | None = None
    plugin_folder: Path | None = None
    aws: AwsEnvironment | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: float = 3600.0

    @property
    def backend_folder(self) -> Path | None:
        """The folder of a backend of files; None for any other."""
        kind, found, rest = self.backend_url.partition("://")
        return Path(rest.partition("?")[0]).expanduser() if found and kind == "file" else None

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that must not appear anywhere."""
        aws = self.aws
        held = (aws.secret_access_key, aws.session_token) if aws is not None else ()
        return tuple(one for one in (self.passphrase, self.access_token, *held) if one)


def engine_version(settings: EngineSettings) -> str | None:
    """Return the version of the engine, for example "3.259.0"; None where there is none.

    A command is asked once, and again when its file is another one.

    Raises:
        PermanentError: There is a command of that name, and it does not work.
    """
    command = _command(settings)
    if command is None:
        return None
    try:
        file = Path(command).stat()
        return _told_version(command, file.st_mtime_ns, file.st_size)
    except (OSError, subprocess.SubprocessError) as error:
        message = f"{command} does not tell its version: {error}; install Pulumi 3 again"
        raise PermanentError(message) from error


@lru_cache(maxsize=8)
def _told_version(command: str, changed_ns: int, size_bytes: int) -> str:
    del changed_ns, size_bytes  # Which file it was.
    done = subprocess.run(
        [command, "version"],
        env=os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=VERSION_TIMEOUT_SECONDS,
        check=True,
    )
    return done.stdout.strip().removeprefix("v")


def engine_environment(
    settings: EngineSettings, *, stack: str, environ: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the environment of a process that runs the engine on a stack.

    Args:
        settings: Of the engine.
        stack: Its name.
        environ: What is inherited; None for this process's own.
    """
    inherited = os.environ if environ is None else environ
    kept = {name: value for name, value in inherited.items() if not _dropped(name, settings)}
    ours = _engine_variables(settings, stack) | _aws_variables(settings.aws)
    return kept | dict(settings.variables) | ours


def prepare_folders(settings: EngineSettings) -> None:
    """Make the folders that the engine expects to be there."""
    settings.home.mkdir(parents=True, exist_ok=True)
    if settings.backend_folder is not None:
        settings.backend_folder.mkdir(parents=True, exist_ok=True)


def salt_file(settings: EngineSettings, stack: str) -> Path:
    """Return where the salt of a stack's secrets is kept between operations."""
    backend = hashlib.sha256(settings.backend_url.encode()).hexdigest()[:12]
    return settings.home.resolve() / "salts" / backend / stack


def journal_file(settings: EngineSettings, stack: str) -> Path:
    """Return where operations are kept that failed, until it is known whether they were done."""
    folder = settings.backend_folder or settings.home
    return folder.resolve() / ".homeostat" / f"{stack}.begun.json"


def stack_mark(settings: EngineSettings, stack: str) -> str:
    """Return the text that marks every process that works on a stack."""
    return f"{settings.backend_url} {stack}"


def _dropped(name: str, settings: EngineSettings) -> bool:
    if name.startswith("AWS_"):
        return settings.aws is not None
    return name.startswith(NOT_INHERITED)


def _command(settings: EngineSettings) -> str | None:
    return shutil.which("pulumi" if settings.cli is None else str(settings.cli))


def _engine_variables(settings: EngineSettings, stack: str) -> dict[str, str]:
    variables = {
        STACK_VARIABLE: stack_mark(settings, stack),
        PYTHON_VARIABLE: sys.executable,
        "PATH": os.pathsep.join(_path(settings)),
        "PYTHONPATH": os.pathsep.join(_python_path()),
        "PULUMI_BACKEND_URL": settings.backend_url,
        "PULUMI_CONFIG_PASSPHRASE": settings.passphrase,
        "PULUMI_HOME": str(settings.home),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    if settings.access_token is not None:
        variables["PULUMI_ACCESS_TOKEN"] = settings.access_token
    if settings.plugin_folder is not None:
        variables["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
    return variables


def _path(settings: EngineSettings) -> list[str]:
    command = _command(settings)
    first = [] if settings.plugin_folder is None else [str(settings.plugin_folder)]
    return [
        *first,
        *([] if command is None else [str(Path(command).parent)]),
        os.environ.get("PATH", os.defpath),
    ]


def _python_path() -> list[str]:
    # The process starts in a folder of its own, from which this package would not be found.
    inherited = os.environ.get("PYTHONPATH")
    return [str(Path(__file__).parents[3]), *([inherited] if inherited else [])]


def _aws_variables(aws: AwsEnvironment | None) -> dict[str, str]:
    if aws is None:
        return {}
    variables = {
        "AWS_REGION": aws.region,
        "AWS_DEFAULT_REGION": aws.region,
        "AWS_ACCESS_KEY_ID": aws.access_key_id,
        "AWS_SECRET_ACCESS_KEY": aws.secret_access_key,
        # A key of this account must never be mixed with a profile of the person who starts this.
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    if aws.session_token is not None:
        variables["AWS_SESSION_TOKEN"] = aws.session_token
    if aws.endpoint_url is not None:
        variables["AWS_ENDPOINT_URL"] = aws.endpoint_url
    return variables

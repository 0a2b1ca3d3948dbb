"""What a run of the stacks area works with: blocks as plain settings, loaded once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from blocks import AwsAccount, PulumiBackend
from tasks.adapters.aws import regional_client
from tasks.adapters.objects import Storage
from tasks.adapters.policy_pack import SHIPPED_PACK
from tasks.adapters.pulumi.environment import AwsEnvironment, EngineSettings
from tasks.domain.errors import PermanentError
from tasks.domain.guardrails.policy import GuardrailPolicy


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where a run reads, keeps and changes things.

    Attributes:
        account: Reads the account.
        apply_account: Changes it; only the engine and the recovery use it.
        store: For programs, previews and approvals.
        backend: Of Pulumi.
        guardrails: Name of the Guardrails block.
        policy: What it says.
        notify: Prefect notification blocks to tell, as type/name.
        ledger: Name of the StackLedger.
        run_id: Of this flow run.
        address: Of its page; None where the server has none.
    """

    account: AwsAccount
    apply_account: AwsAccount
    store: Storage
    backend: PulumiBackend
    guardrails: str
    policy: GuardrailPolicy
    ledger: str
    run_id: str
    notify: tuple[str, ...] = ()
    address: str | None = None
    pack: Path = field(default=SHIPPED_PACK)

    def with_policy(self, policy: GuardrailPolicy) -> Site:
        """Return the same with guardrails that were read anew."""
        return replace(self, policy=policy)

    def client(self, service: str, region: str) -> Any:
        """Return a client that reads."""
        return _client(self.account, service, region)

    def changing_client(self, service: str, region: str) -> Any:
        """Return a client that may change what a stack changes."""
        return _client(self.apply_account, service, region)

    def engine(self, region: str) -> EngineSettings:
        """Return how the engine is run for one region."""
        home, token = self.backend.home, self.backend.access_token
        return EngineSettings(
            backend_url=self.backend.url,
            home=Path.home() / ".pulumi" if home is None else Path(home),
            passphrase=self.backend.passphrase.get_secret_value(),
            access_token=None if token is None else token.get_secret_value(),
            plugin_folder=None if self.backend.plugins is None else Path(self.backend.plugins),
            aws=aws_environment(self.apply_account, region=region),
        )

    def folder(self, stack: str) -> Path:
        """Return where a stack's programs are written."""
        return Path(self.backend.programs) / stack


def _client(account: AwsAccount, service: str, region: str) -> Any:
    return regional_client(
        account.session(), service, region=region, endpoint_url=account.endpoint_url
    )


def aws_environment(account: AwsAccount, *, region: str) -> AwsEnvironment:
    """Return an account's credentials as the engine's provider takes them.

    Raises:
        PermanentError: The account has no credentials.
    """
    credentials = account.session().get_credentials()
    if credentials is None:
        message = (
            "the AwsAccount block for applying has no credentials, and this machine has none "
            "either; set its keys or a profile"
        )
        raise PermanentError(message)
    frozen = credentials.get_frozen_credentials()
    return AwsEnvironment(
        region=region,
        access_key_id=str(frozen.access_key),
        secret_access_key=str(frozen.secret_key),
        session_token=frozen.token,
        endpoint_url=account.endpoint_url,
    )

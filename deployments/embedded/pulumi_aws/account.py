"""Clients of the embedded account, and of nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.session import Session

from deployments.embedded.pulumi_aws.errors import NotLoopbackError, StandInError
from deployments.embedded.pulumi_aws.faults import Faults
from deployments.embedded.pulumi_aws.plan_waits import PlanWaits, plan_waits_from

ENDPOINT_VARIABLE = "AWS_ENDPOINT_URL"
REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")
PAUSE_SECONDS = 0.05
LONGEST_WAIT_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Account:
    """Where calls go and as whom.

    Attributes:
        endpoint: On loopback.
        region: Where a resource is that names no region.
        access_key, secret_key: As the environment or the program's configuration has them.
        faults: What goes wrong on purpose.
        plan_waits: When a Savings Plan counts as made.
    """

    endpoint: str
    region: str
    access_key: str
    secret_key: str
    faults: Faults
    plan_waits: PlanWaits = field(default_factory=PlanWaits)
    # Not boto3, which makes the same clients and takes 50 ms more at each start of a provider.
    _session: Session = field(default_factory=Session)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def cloud(self, region: str | None = None) -> Cloud:
        """Return the account in one region."""
        return Cloud(account=self, region=region or self.region)

    def client(self, service: str, region: str) -> Any:
        """Return botocore's client; the same one for the same service and region."""
        with self._lock:  # A session is not safe to make clients with.
            if (service, region) not in self._clients:
                self._clients[service, region] = self._new_client(service, region)
            return self._clients[service, region]

    def _new_client(self, service: str, region: str) -> Any:
        client = self._session.create_client(
            service,
            region_name=region,
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(retries={"total_max_attempts": 3, "mode": "standard"}),
        )
        for event, when in (("before-call", "before"), ("after-call", "after")):
            client.meta.events.register(event, partial(self._called, when=when))
        return client

    def _called(self, *, model: Any, when: str, **_: Any) -> None:
        prefix = model.service_model.endpoint_prefix
        self.faults.meet(f"{prefix}:{model.name}", when=when)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """The account in one region."""

    account: Account
    region: str

    def client(self, service: str) -> Any:
        """Return the region's client of a service."""
        return self.account.client(service, self.region)

    @property
    def number(self) -> str:
        """The account's twelve digits."""
        return str(self.client("sts").get_caller_identity()["Account"])


def account_from(
    environ: Mapping[str, str], configuration: Mapping[str, Any], *, faults: Faults
) -> Account:
    """Return the account that an environment and a provider's configuration mean.

    Args:
        environ: The endpoint is taken from it, and whatever the configuration leaves out.
        configuration: Under "region", "accessKey" and "secretKey".
        faults: What goes wrong on purpose.

    Raises:
        NotLoopbackError: The endpoint is not on this machine.
        StandInError: There is no region, or the environment asks for something that there is not.
    """
    endpoint = checked_endpoint(environ.get(ENDPOINT_VARIABLE))
    found = (environ.get(name) for name in REGION_VARIABLES)
    region = configuration.get("region") or next((each for each in found if each), None)
    if not region:
        message = "there is no region; set aws:region in the stack's configuration, or AWS_REGION"
        raise StandInError(message)
    return Account(
        endpoint=endpoint,
        region=str(region),
        access_key=str(configuration.get("accessKey") or environ.get("AWS_ACCESS_KEY_ID", "us")),
        secret_key=str(configuration.get("secretKey") or environ.get("AWS_SECRET_ACCESS_KEY", "-")),
        faults=faults,
        plan_waits=plan_waits_from(environ),
    )


def checked_endpoint(endpoint: str | None) -> str:
    """Return an endpoint that is on this machine.

    Raises:
        NotLoopbackError: It is not, or there is none.
    """
    if not endpoint:
        raise NotLoopbackError(None)
    host = urlsplit(endpoint).hostname or ""
    try:
        is_here = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        is_here = False
    if not is_here:
        raise NotLoopbackError(endpoint)
    return endpoint


def wait_for(
    reached: Callable[[], bool], *, what: str, longest_seconds: float = LONGEST_WAIT_SECONDS
) -> None:
    """Wait until something is so; the embedded account is mostly immediate.

    Args:
        reached: Asked until it says so.
        what: For the message, for example "i-1 to be stopped".
        longest_seconds: After which it gives up; above 0.

    Raises:
        StandInError: It is not so by then.
    """
    deadline = time.monotonic() + longest_seconds
    while not reached():
        if time.monotonic() > deadline:
            message = f"waited {longest_seconds:g} s for {what} in vain"
            raise StandInError(message)
        time.sleep(PAUSE_SECONDS)

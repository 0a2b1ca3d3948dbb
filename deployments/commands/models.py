"""Commands about models: list, roll back."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter

from deployments import model_show
from deployments import models as of_models
from deployments.commands.terminal import complain, console
from deployments.lifecycle import NotUpError, running_api
from deployments.local import Local, default_home
from deployments.prefect_api import PrefectApiError


def models(*, as_json: Annotated[bool, Parameter(name="--json", negative="")] = False) -> int:
    """List the models: which version serves, which one waits, and which served before."""
    try:
        with running_api(Local(home=default_home())) as api:
            found = of_models.models(api)
    except (NotUpError, PrefectApiError) as error:
        return complain("no answer", error)
    model_show.models(console, found, now=datetime.now(UTC), as_json=as_json)
    return 0


def rollback(model: str, *, reason: str = "by hand") -> int:
    """Let a model's earlier version serve again; the one that served is never promoted again.

    Args:
        model: Its name; `homeostat models` lists them.
        reason: Kept with the version that is refused.
    """
    try:
        with running_api(Local(home=default_home())) as api:
            os.environ |= of_models.client_environment()
            found = of_models.roll_back(api, model, reason=reason)
    except (NotUpError, PrefectApiError, of_models.ModelCommandError) as error:
        return complain("not rolled back", error)
    model_show.rolled_back(console, found, now=datetime.now(UTC))
    return 0

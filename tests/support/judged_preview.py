"""Preview two resources by the real engine with a policy pack, and print what the pack said, as JSON.

A process of its own: a preview that fails leaves an event loop of the SDK open.
"""

from __future__ import annotations

import json
import sys

import pulumi
from pulumi.automation import CommandError, create_stack
from pulumi.automation.events import EngineEvent

LOGS = "aws:cloudwatch/logGroup:LogGroup"
VOLUME = "aws:ebs/volume:Volume"
TAGS = {"homeostat/change-id": "hs-0123456789ab", "homeostat/reason": "idle"}


def program() -> None:
    """Declare two resources; the engine shows a pack every one, also those without a provider."""
    pulumi.ComponentResource(LOGS, "logs", {"retentionInDays": 0, "tags": TAGS})
    protected = pulumi.ResourceOptions(protect=True)
    pulumi.ComponentResource(VOLUME, "data", {"encrypted": False}, protected)


def main(pack: str) -> None:
    """Print rules, resources and levels, and what the engine said in the end."""
    stack = create_stack("dev", project_name="judged", program=program)
    said: list[list[str]] = []

    def hear(event: EngineEvent) -> None:
        if (told := event.policy_event) is not None:
            resource = str(told.resource_urn).rpartition("::")[2]
            said.append([told.policy_name, resource, told.enforcement_level])

    outcome = "previewed"
    try:
        stack.preview(policy_packs=[pack], on_event=hear)
    except CommandError as error:
        outcome = str(error)
    sys.stdout.write(json.dumps({"said": sorted(said), "outcome": outcome}))


if __name__ == "__main__":
    main(sys.argv[1])

"""Prefect blocks: connections and the state that outlives a run."""

from blocks.aws import AwsAccount
from blocks.cluster import KubernetesCluster, PrometheusServer
from blocks.guardrails import Guardrails
from blocks.models import ModelEntry, ModelRegistry
from blocks.notifications import EmailNotification
from blocks.savings import IgnoredResource, SavingsOutlook, SavingsSettings
from blocks.scaling import ScalingTrial, ScalingTrials
from blocks.scores import ForecastScores, LiveFigures
from blocks.spot import HistorySpan, HorizonScores, SpotOutlook
from blocks.stacks import (
    ChangeAttempt,
    PulumiBackend,
    SavingsRealised,
    StackEntry,
    StackLedger,
)
from blocks.state import ObjectPointer, StateBlock
from blocks.usage import ArchetypeSize, UsageProfile

__all__ = [
    "ArchetypeSize",
    "AwsAccount",
    "ChangeAttempt",
    "EmailNotification",
    "ForecastScores",
    "Guardrails",
    "HistorySpan",
    "HorizonScores",
    "IgnoredResource",
    "KubernetesCluster",
    "LiveFigures",
    "ModelEntry",
    "ModelRegistry",
    "ObjectPointer",
    "PrometheusServer",
    "PulumiBackend",
    "SavingsOutlook",
    "SavingsRealised",
    "SavingsSettings",
    "ScalingTrial",
    "ScalingTrials",
    "SpotOutlook",
    "StackEntry",
    "StackLedger",
    "StateBlock",
    "UsageProfile",
]

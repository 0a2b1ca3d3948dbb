"""Prefect blocks: connections and the state that outlives a run."""

from blocks.aws import AwsAccount
from blocks.savings import IgnoredResource, SavingsOutlook, SavingsSettings
from blocks.spot import HistorySpan, HorizonScores, SpotOutlook
from blocks.state import ObjectPointer, StateBlock
from blocks.usage import ArchetypeSize, UsageProfile

__all__ = [
    "ArchetypeSize",
    "AwsAccount",
    "HistorySpan",
    "HorizonScores",
    "IgnoredResource",
    "ObjectPointer",
    "SavingsOutlook",
    "SavingsSettings",
    "SpotOutlook",
    "StateBlock",
    "UsageProfile",
]

"""Prefect blocks: connections and the state that outlives a run."""

from blocks.aws import AwsAccount
from blocks.spot import HistorySpan, HorizonScores, SpotOutlook
from blocks.state import ObjectPointer, StateBlock

__all__ = [
    "AwsAccount",
    "HistorySpan",
    "HorizonScores",
    "ObjectPointer",
    "SpotOutlook",
    "StateBlock",
]

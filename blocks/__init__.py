"""Prefect blocks: connections and the state that outlives a run."""

from blocks.aws import AwsAccount
from blocks.spot import HorizonScores, SpotOutlook
from blocks.state import ObjectPointer, StateBlock

__all__ = ["AwsAccount", "HorizonScores", "ObjectPointer", "SpotOutlook", "StateBlock"]

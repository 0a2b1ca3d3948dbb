"""Prefect blocks: connections and the state that outlives a run."""

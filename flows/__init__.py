"""Prefect flows: one module per pipeline, each reads top to bottom as the story of a run."""

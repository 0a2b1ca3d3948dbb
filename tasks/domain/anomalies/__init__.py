"""Anomalies of workloads, as they happen: how rare, which metric, what kind, what to do."""

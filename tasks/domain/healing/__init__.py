"""Healing: what ails a workload, and what is done about it. Pure decisions."""

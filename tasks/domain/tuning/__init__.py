"""Tuning suggestions: processor, memory, cache and network, with evidence and expected effect."""

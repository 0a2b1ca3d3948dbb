"""Figures against peers and baselines, one command each."""

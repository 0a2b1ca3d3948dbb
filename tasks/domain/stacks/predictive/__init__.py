"""Scaling ahead of demand: a forecast is judged before it may scale, and watched afterwards."""

"""Stacks: programs for chosen changes, their preview with money, approval, and what became of them."""

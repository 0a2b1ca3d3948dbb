"""Which opportunities go together, and what they save together."""

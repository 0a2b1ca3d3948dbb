"""Prefect tasks: one module per area, thin over adapters and the domain."""

"""A read-only Prometheus over what happens in the simulated cluster."""

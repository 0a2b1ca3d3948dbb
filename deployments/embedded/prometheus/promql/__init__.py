"""The part of PromQL that reads a simulated cluster, on arrays."""

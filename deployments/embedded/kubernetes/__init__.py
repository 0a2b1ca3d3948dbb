"""A Kubernetes API server for the clients that we ship, in one process and without containers."""

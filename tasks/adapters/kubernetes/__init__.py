"""Kubernetes, by the official client: requests, lists, and mirrors that watches keep up to date."""

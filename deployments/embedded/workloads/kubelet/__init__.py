"""Kubelets of a simulated world: what the physics says, written as kubelets write it, by an API client."""

"""The real control plane of Kubernetes on this machine: no containers, no root."""

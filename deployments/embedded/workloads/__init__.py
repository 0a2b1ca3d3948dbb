"""A simulator of workloads on a cluster: how they behave, and what a kubelet would write of it."""

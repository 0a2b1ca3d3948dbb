"""What a kubelet and a container runtime make of it: states, restarts, probes, events, logs."""

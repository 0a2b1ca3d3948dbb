"""What containers and nodes use, served as metrics-server does: the group metrics.k8s.io."""

"""What the clusters of this machine have in common: who may use them, and with which keys."""

"""Where Homeostat runs: the command, the embedded cloud, deployment files."""

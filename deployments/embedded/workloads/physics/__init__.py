"""How workloads behave: arrays, a step of so many seconds and a seed; numpy and nothing else."""

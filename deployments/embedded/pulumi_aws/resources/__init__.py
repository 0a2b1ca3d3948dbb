"""How each resource type is made, read, changed and deleted."""

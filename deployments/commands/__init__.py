"""What the `homeostat` command does, by what it is about."""

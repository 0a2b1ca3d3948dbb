"""How resources are used: features, archetypes and their stability."""

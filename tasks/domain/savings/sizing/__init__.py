"""What machines need, and the types that give it."""

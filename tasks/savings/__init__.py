"""Tasks that find and choose savings."""

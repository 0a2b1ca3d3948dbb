"""Tasks that observe how resources are used."""

"""What runs in the embedded account from the start, and how it was used until now."""

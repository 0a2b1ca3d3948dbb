"""What could be saved, what it would cost, and which of it goes together."""

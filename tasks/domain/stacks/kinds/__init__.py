"""What each kind of change is as resources, or why it is not made; pure."""

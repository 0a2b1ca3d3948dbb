"""What the embedded account costs, day by day, and Cost Explorer that tells it."""

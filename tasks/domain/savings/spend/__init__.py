"""The bill: what it was, what it will be, and what was out of the ordinary."""

"""Remote systems: real clients, errors translated, rows to frozen values."""

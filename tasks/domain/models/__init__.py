"""What every model shares: registry, drift, promotion, live scores."""

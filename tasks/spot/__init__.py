"""Tasks of the spot area: read prices, forecast them by chunks of pools, publish."""

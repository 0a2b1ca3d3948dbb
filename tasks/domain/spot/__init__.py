"""The spot market: forecasts, interruption risk, ranking."""

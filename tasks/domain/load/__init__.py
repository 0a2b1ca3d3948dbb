"""Forecasts of load: processor, memory and requests, some hours ahead, with honest intervals."""

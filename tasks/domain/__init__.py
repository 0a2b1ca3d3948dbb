"""Decisions and mathematics: pure functions of plain values."""

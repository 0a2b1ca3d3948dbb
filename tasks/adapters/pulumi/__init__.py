"""Previews and updates by Pulumi's engine, an estimate without it, and recovery after a kill."""

"""Embedded AWS: moto behind an overlay, for unmodified boto3."""

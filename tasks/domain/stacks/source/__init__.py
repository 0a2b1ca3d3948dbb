"""Programs as text: a complete Pulumi project in Python, from values that are checked first."""

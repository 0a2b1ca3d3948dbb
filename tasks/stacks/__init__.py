"""Tasks of the stacks area: generate, preview, approve, apply, verify, undo."""

"""Tables of measured figures in Markdown, one module per area."""

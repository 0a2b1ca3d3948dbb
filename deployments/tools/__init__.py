"""The real programs that tests are judged by: one folder a family, pinned by its go.mod."""

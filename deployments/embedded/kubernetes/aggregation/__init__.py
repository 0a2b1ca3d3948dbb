"""Groups that another server answers for: registered, found, and passed on to it."""

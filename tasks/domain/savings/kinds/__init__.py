"""Every kind of opportunity besides right-sizing."""

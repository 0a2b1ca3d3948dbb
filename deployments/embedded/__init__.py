"""The embedded cloud and cluster: real clients talk HTTP to servers on loopback."""

"""A stand-in for Pulumi's AWS provider: its resource types, carried out on the embedded account."""

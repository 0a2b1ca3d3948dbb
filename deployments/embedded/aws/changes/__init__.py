"""Changes to the embedded account that moto lacks, or does otherwise than AWS."""

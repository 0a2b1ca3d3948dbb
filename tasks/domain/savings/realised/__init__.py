"""What applied changes really saved, measured against resources that nobody touched."""

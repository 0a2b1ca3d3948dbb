"""What a cluster does by itself: one small controller for each thing that it keeps up."""

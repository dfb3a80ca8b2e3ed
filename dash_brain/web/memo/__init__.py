"""Results of callbacks, kept by their arguments."""

"""What every other package may use, and which knows none of them."""

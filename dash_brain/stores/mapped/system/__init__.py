"""What differs between kernels, and how their errors are told."""

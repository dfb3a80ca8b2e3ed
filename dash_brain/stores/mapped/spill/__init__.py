"""Spilling: values that have no room in shared memory lie on disk, and a link in the store says where."""

"""The folder of a store as the kernel sees it: paths, object files, and how they get their names."""

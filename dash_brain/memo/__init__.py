"""Memoization: results of functions are kept by their arguments."""

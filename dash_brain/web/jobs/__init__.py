"""Callbacks that run in the background, in processes of their own."""

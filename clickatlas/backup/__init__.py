"""Copies of a data folder, taken while a server runs, and put back."""

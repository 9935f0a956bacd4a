"""Answers a short link and writes the click down."""

"""Digests: what happened in a period, with a picture of the map, sent when its reader wants it."""

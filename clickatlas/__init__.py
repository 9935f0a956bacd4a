"""clickatlas: a self-hosted link shortener whose point is the map."""

__version__ = "0.1.0"

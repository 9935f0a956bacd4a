"""What happened: the click store and the way into it."""

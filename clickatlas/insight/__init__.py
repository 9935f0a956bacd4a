"""Questions, answered by pure functions on counts."""

"""`clickatlas doctor`: what is fine, what is not, and how to mend it."""

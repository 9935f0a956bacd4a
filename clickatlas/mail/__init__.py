"""Letters to people: written, and sent over SMTP."""

"""Other people's programs told of what happens: an outbox, signed and sent until it is taken."""

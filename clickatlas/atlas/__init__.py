"""Where an address is, and what is known about there."""

"""Tables as files in open formats, written piece by piece."""

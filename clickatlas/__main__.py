"""`python -m clickatlas`."""

from clickatlas.cli import main

main()

"""`python -m onward COMMAND ...` is `onward-run COMMAND ...`."""

from ._run.command import main

main()

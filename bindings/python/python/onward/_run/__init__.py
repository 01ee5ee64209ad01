"""`onward-run`: a program with the headers forwarded, and no change to it."""

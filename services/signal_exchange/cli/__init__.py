"""The command line: the one command, and what its commands share."""

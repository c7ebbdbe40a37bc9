"""The start page of the demo: its invented people by role, one click to be one of them. On this machine only."""

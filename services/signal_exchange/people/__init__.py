"""The people of one organisation: who they are, who may what, and the log of what they saw and did."""

"""The region's office of participants: who joins, who leaves, which keys are renewed."""

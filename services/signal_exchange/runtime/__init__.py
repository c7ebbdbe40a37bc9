"""Settings, clock, log events, metrics, health, database and topic administration."""

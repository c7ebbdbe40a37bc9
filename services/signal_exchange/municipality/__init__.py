"""The node of one municipality: vault, outbox, relay and inbox."""

"""Reports: what reporters tell this municipality, until an officer answered. Nothing of a report leaves by itself."""

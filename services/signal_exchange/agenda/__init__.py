"""The agenda of the weekly screening meeting."""

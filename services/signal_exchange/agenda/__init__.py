"""The agenda of the weekly screeningsoverleg."""

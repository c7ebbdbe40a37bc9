"""Normalising, link tokens, sealing, signing, the participants' register and the leak guard."""

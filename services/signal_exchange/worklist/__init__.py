"""Referrals for the zorgcoordinator, or for the youth coordinator."""

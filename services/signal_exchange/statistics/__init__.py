"""Coded facts for the regional figures."""

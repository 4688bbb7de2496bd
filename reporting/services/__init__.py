"""Verbs of the dashboard."""

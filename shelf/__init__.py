"""Adapters that we have: where each comes from, what it weighs, and whether anybody has judged it."""

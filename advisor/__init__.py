"""Answers in; fired rules, a ranking and what would change it out."""

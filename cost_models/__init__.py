"""Arithmetic on dated facts: prices, curves over time, break-even, memory and duration of a run."""

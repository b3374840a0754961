"""Tuned models that a host shuts down: which there are, what they answer while they live, and a tune of our own."""

"""Hosts of managed tuning that speak the OpenAI protocol: what each allows, its key, its client, its models."""

"""Load a base model once, swap adapters, generate in batches, answer over the OpenAI protocol."""

"""The nouns that every room shares: plans, answers, jobs, estimates, sources, errors and the store."""

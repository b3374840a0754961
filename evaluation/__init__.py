"""Was it worth it: base, best prompt, tuned model and a classic classifier on the same rows, with honest intervals."""

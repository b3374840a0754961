"""Training kernels: what is put in the place of a model's decoder layers and of its loss on one card."""

"""Look at the data: read any usual file, check it, split it, and render it for the model.

Start at `read.read`, then `check.check`, `split.split`, `render.Renderer` and `prepare.adopt`. Nothing here needs
torch or transformers, and nothing is imported before it is used.
"""

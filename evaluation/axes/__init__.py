"""The axes beside the task: new inputs, general knowledge, safety, over-refusal and bias. One file each."""

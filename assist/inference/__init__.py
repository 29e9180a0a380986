"""Neural inference on the CPU: the sentence encoder, its queue and the reading of emotions."""

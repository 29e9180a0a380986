"""No property is about time: the first example may load a dictionary or a language model."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

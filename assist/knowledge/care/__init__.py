"""Care of the knowledge: what is wrong with the articles, and what customers ask that they do not answer."""

"""One folder a family of partner messages; each declares itself by its manifest.yaml, and nothing here names it."""

"""The embedded engine: threads that send, collect and sweep inside one process, with nothing to install beside it."""

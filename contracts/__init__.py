"""The published language: pure data and pure functions on it. No I/O but reading the packaged data."""

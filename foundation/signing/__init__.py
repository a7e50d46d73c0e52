"""Signing keys: one small interface, and keys kept in files."""

from .software import KeyFileFault, Signer, SoftwareKey

__all__ = ["KeyFileFault", "Signer", "SoftwareKey"]

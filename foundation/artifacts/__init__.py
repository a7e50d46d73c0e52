"""Artifacts: what a file is, told by its bytes; harmless names; an encrypted, content-addressed store."""

from foundation.artifacts.file_types import MAX_BYTES, told_by_bytes
from foundation.artifacts.names import harmless_name
from foundation.artifacts.store import ArtifactKeys, ArtifactStore, Stored

__all__ = ["MAX_BYTES", "ArtifactKeys", "ArtifactStore", "Stored", "harmless_name", "told_by_bytes"]

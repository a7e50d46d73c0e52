"""Every event of the log: one frozen model for each type, defined once.

The log's codec, HTTP bodies, the CSV template, the history file, JSON Schema and the docs follow from these
models. A room's module holds the types that its service may append.
"""

from contracts.events import credentials, evidence, governance, projections
from contracts.events.registry import ERASED, EVENT_TYPES, Event, EventType, is_erased

__all__ = [
    "ERASED",
    "EVENT_TYPES",
    "Event",
    "EventType",
    "credentials",
    "evidence",
    "governance",
    "is_erased",
    "projections",
]

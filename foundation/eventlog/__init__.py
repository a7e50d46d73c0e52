"""The log: one table, one total order. The recorder, decisions, type registry, sealing and followers.

Events are data here; what they mean is the services' business.
"""

from foundation.eventlog.dcb import ALL, Condition, Query, item, query
from foundation.eventlog.decisions import Decided, decide
from foundation.eventlog.events import Command, NewEvent, Recorded, command_id, event_id_from, new_event
from foundation.eventlog.followers import (
    Follower,
    FollowerTransaction,
    Resuming,
    Retrying,
    Standing,
    standing_of,
    wait_for,
)
from foundation.eventlog.log import BULK_LIMIT, EventLog
from foundation.eventlog.memory import InMemoryEventLog
from foundation.eventlog.postgres_log import PostgresEventLog
from foundation.eventlog.running import catch_up, retry_parked, run_follower
from foundation.eventlog.subject_keys import InMemorySubjectKeys, SubjectKeys
from foundation.eventlog.type_registry import TypeRegistry, UnknownEventType

__all__ = [
    "ALL",
    "BULK_LIMIT",
    "Command",
    "Condition",
    "Decided",
    "EventLog",
    "Follower",
    "FollowerTransaction",
    "InMemoryEventLog",
    "InMemorySubjectKeys",
    "NewEvent",
    "PostgresEventLog",
    "Query",
    "Recorded",
    "Resuming",
    "Retrying",
    "Standing",
    "SubjectKeys",
    "TypeRegistry",
    "UnknownEventType",
    "catch_up",
    "command_id",
    "decide",
    "event_id_from",
    "item",
    "new_event",
    "query",
    "retry_parked",
    "run_follower",
    "standing_of",
    "wait_for",
]

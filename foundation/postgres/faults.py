"""What is wrong with a database, in sentences for the person who runs it."""

from __future__ import annotations

from contracts.refusals import Kind, Refusal


class Unusable(Refusal):
    """The database can't be used as it is: the sentence says why and what to do. Nothing was changed."""

    def __init__(self, detail: str) -> None:
        super().__init__(Kind.UNAVAILABLE, detail)

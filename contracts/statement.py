"""The base of every model of the published language, and plain words for what is wrong with one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from contracts.refusals import Fault
from contracts.strict_json import escape


class Statement(BaseModel):
    """Frozen, closed and strict: nothing unknown, nothing coerced; an optional member is left out, never null."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _no_nulls(cls, data: Any) -> Any:
        if isinstance(data, dict):
            for name, value in data.items():
                if value is None:
                    raise ValueError(f"member {name} is null; an optional member is left out")
        return data

    def to_data(self) -> dict[str, Any]:
        """The JSON value: published names, dates as text, absent optionals left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def faults_of(error: ValidationError, prefix: str = "") -> list[Fault]:
    """Each fault that pydantic found, with its JSON pointer below `prefix` and a plain sentence."""
    return [fault_of(item, prefix) for item in error.errors(include_url=False)]


def fault_of(item: Mapping[str, Any], prefix: str = "") -> Fault:
    """One entry of pydantic's `errors()` (`loc`, `type`, `msg`, `ctx`) as a fault."""
    return Fault(prefix + _pointer(item), _sentence(item))


def _pointer(item: Mapping[str, Any]) -> str:
    # Names that pydantic adds for union branches are no members of the document.
    steps = [step for step in item["loc"] if step not in _BRANCHES and "[" not in str(step)]
    return "".join(f"/{escape(str(step))}" for step in steps)


_BRANCHES = {"int", "str", "literal['overall']", "Page", "Time"}


def _sentence(item: Mapping[str, Any]) -> str:
    kind, context = item["type"], item.get("ctx", {})
    match kind:
        case "missing":
            return "this member is missing"
        case "extra_forbidden":
            return "no such member is known here"
        case "value_error":
            return str(context["error"])
        case "string_pattern_mismatch" if "A-Za-z0-9._-" in str(context["pattern"]):
            return "an id has 1 to 64 letters, digits, `.`, `_` or `-`, and begins with a letter or digit"
        case "string_too_short":
            return "this text is empty"
        case "string_too_long":
            return f"this text is longer than {context['max_length']} characters"
        case "int_type" | "int_from_float":
            return "this has to be a whole number"
        case "string_type":
            return "this has to be text"
    message = str(item["msg"])
    return message[:1].lower() + message[1:]

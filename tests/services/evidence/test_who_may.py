"""Every evidence type says who may record it, or the program does not start."""

from __future__ import annotations

import pytest

from services.evidence.recording import WHO_MAY, require_complete


@pytest.mark.parametrize("types", [set(WHO_MAY) - {"ArtifactReviewed"}, set(WHO_MAY) | {"ReviewDone"}])
def test_a_type_without_a_line_and_a_line_without_a_type_are_named(types: set[str]) -> None:
    [other] = types ^ set(WHO_MAY)
    with pytest.raises(TypeError, match=other):
        require_complete(types)

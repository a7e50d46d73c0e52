"""The temporary database of an import: sealed, and a disk without room is a refusal."""

from __future__ import annotations

import pytest

from contracts.refusals import Fault, Kind, Refusal
from services.evidence.import_csv import COLUMNS
from services.evidence.import_drafts import Draft
from services.evidence.import_staging import Staging

SAID = "Led the data meeting with Señora Núñez."


def test_what_people_wrote_is_in_no_byte_of_the_temporary_file_and_comes_back_whole() -> None:
    cells = dict.fromkeys(COLUMNS, "") | {"narrative": SAID, "evidence_id": "e-1"}
    draft = Draft(2, "ObservationRecorded", "p-heron", "person:c-otter", {"evidence_id": "e-1", "narrative": SAID})
    fault = Fault("/rows/2/narrative", f"{SAID} is refused \ud800")
    with Staging() as staging:
        staging.add_rows([(2, cells), (3, cells)])
        staging.add(draft)
        staging.add_faults([fault])
        stored = staging._db.serialize()
        assert b"e-1" in stored
        for part in (b"Led the data", "Núñez".encode(), b"refused", b'narrative"'):
            assert part not in stored
        assert list(staging.items()) == [[(2, cells), (3, cells)]]
        assert list(staging.of("p-heron")) == [draft]
        assert staging.faults(10) == [fault]


def test_equal_texts_are_sealed_differently_and_each_import_has_a_key_of_its_own() -> None:
    with Staging() as one, Staging() as other:
        assert len({one._sealed.seal(SAID), one._sealed.seal(SAID), other._sealed.seal(SAID)}) == 3


def test_a_full_disk_is_a_refusal_that_says_what_to_do() -> None:
    cells = dict.fromkeys(COLUMNS, "") | {"narrative": "x" * 10_000}

    def stage() -> None:
        with Staging() as staging:
            staging._db.execute("PRAGMA max_page_count = 20")
            staging.add_rows((row, cells) for row in range(2, 1_000))

    with pytest.raises(Refusal) as refused:
        stage()
    assert refused.value.kind is Kind.UNAVAILABLE
    assert "TMPDIR" in refused.value.detail

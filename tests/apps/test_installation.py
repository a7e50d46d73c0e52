"""The first run: what is broken off in the middle goes on at the next start."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps import installation
from apps.composition import System
from foundation.postgres import provision
from foundation.settings import Settings


class Killed(BaseException):
    """Stands for the end of the process."""


def test_a_first_start_that_is_killed_after_its_logins_are_made_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path / "home")

    def killed(*_: object) -> list[str]:
        raise Killed

    with monkeypatch.context() as broken:
        broken.setattr(provision, "_upgrade_log", killed)
        with pytest.raises(Killed), System.open(settings):
            pass
    said: list[str] = []
    with System.open(settings, said.append) as system:
        assert system.log("evidence").head() == 1  # the issuer's first key
        assert system.place.master_key_file.exists()
    stored = installation.installation(settings, None)
    assert set(stored.urls) == {*provision.SERVICES, "keys"}
    for name in ("logins.json", "master.key"):
        assert (settings.home / name).stat().st_mode & 0o777 == 0o600


def test_the_first_run_says_what_was_made_and_what_to_back_up_and_the_second_nothing(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    said: list[str] = []
    with System.open(settings, said.append):
        pass
    text = "\n".join(said)
    assert all(word in text for word in ("postgres", "master.key", "logins.json", "artifacts", "Back up", "issuer"))
    again: list[str] = []
    with System.open(settings, again.append):
        pass
    assert again == []

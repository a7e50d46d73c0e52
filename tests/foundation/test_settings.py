"""Settings are read once, and what cannot be used is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from foundation.settings import ALL, SettingsFault, from_environment


def test_without_any_setting_everything_has_its_default() -> None:
    settings = from_environment({})
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.loopback
    assert (settings.issue, settings.suspension, settings.verify_fetch, settings.demo) == (
        "all",
        False,
        "trusted",
        False,
    )


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://badges.example.gov", "https://badges.example.gov"),
        ("https://badges.example.gov:8443/", "https://badges.example.gov:8443"),
        ("http://localhost:9000", "http://localhost:9000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_an_origin_is_taken(url: str, origin: str) -> None:
    assert from_environment({"MLDS_PUBLIC_URL": url}).public_url == origin


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("MLDS_PUBLIC_URL", url)
            for url in (
                "http://badges.example.gov",
                "https://10.0.0.1",
                "https://[2001:db8::1]",
                "https://localhost",
                "https://host",
                "https://a.example/path",
                "https://u@a.example",
                "ftp://a.example",
                "https://a.example:99999",
                "nonsense",
            )
        ),
        ("MLDS_ISSUE", "some"),
        ("MLDS_SUSPENSION", "yes"),
        ("MLDS_DEMO", "true"),
        ("MLDS_TOKEN", "short"),
        ("MLDS_TOKEN_FILE", "/nonexistent/token"),
    ],
)
def test_what_cannot_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsFault, match=name):
        from_environment({name: value})


def test_a_secret_may_stand_in_a_file_and_several_tokens_side_by_side(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text("a" * 32 + "\n" + "b" * 32 + "\n")
    assert from_environment({"MLDS_TOKEN_FILE": str(file)}).tokens == ("a" * 32, "b" * 32)
    file.write_text("postgresql://x\n")
    assert from_environment({"MLDS_DATABASE_URL_FILE": str(file)}).database_url == "postgresql://x"


def test_every_setting_says_what_it_means() -> None:
    assert all(setting.meaning and setting.default for setting in ALL)
    assert len({setting.name for setting in ALL}) == len(ALL)

"""Times as the visitor's clock shows them."""

from datetime import datetime, timedelta, timezone

import pytest
import streamlit as st

from ui.components import times

EVENING = datetime(2026, 11, 21, 22, 5, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("Asia/Seoul", "2026-11-22 07:05"),
        (None, "2026-11-21 22:05"),
        ("No/Such", "2026-11-21 22:05"),
        ("../x", "2026-11-21 22:05"),
    ],
)
def test_time_is_shown_in_the_zone_of_the_browser(zone: str | None, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(st.context), "timezone", zone)
    assert times.local_time(EVENING) == shown


def test_today_has_no_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(st.context), "timezone", "UTC")
    now = datetime.now(timezone.utc)
    assert times.local_time(now) == f"{now:%H:%M}"
    assert times.local_time(now - timedelta(days=2)).startswith(f"{now - timedelta(days=2):%Y-%m-%d} ")

"""Times of day as the visitor's clock shows them."""

from datetime import datetime, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st


def local_time(when: datetime) -> str:
    """Return a time in the browser's time zone: `14:05` if it is today, else with the date, `2026-11-21 14:05`."""
    local = when.astimezone(browser_zone())
    today = datetime.now(timezone.utc).astimezone(browser_zone()).date()
    return local.strftime("%H:%M" if local.date() == today else "%Y-%m-%d %H:%M")


def browser_zone() -> tzinfo:
    """Return the browser's time zone; UTC if it is not known."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return timezone.utc

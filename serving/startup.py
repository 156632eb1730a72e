"""Before the first request: settings, models and the BentoML configuration, checked so that a fault ends the start."""

import sys
from typing import Any

from pydantic import ValidationError

from models.card import CARD_FILE, CardError, ModelCard, read_card
from models.store import catalogue, require
from serving.settings import Settings

SERVICE_NAME = "image_classifier"


def load_settings() -> Settings:
    """The settings of this process; a bad value ends it with one line per field."""
    try:
        return Settings()
    except ValidationError as error:
        for fault in error.errors():
            name = ".".join(map(str, fault["loc"])).upper()
            sys.stderr.write(f"Setting {name}={fault['input']!r} is not valid: {fault['msg']}\n")
        raise SystemExit(2) from None


def checked_cards() -> dict[str, ModelCard]:
    """The cards of the catalogue by name; ends the process with one line unless every model lies unchanged in the store."""
    try:
        cards = [read_card(folder / CARD_FILE) for folder in catalogue()]
        for card in cards:
            require(card.tag)
    except CardError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None
    return {card.name: card for card in cards}


def service_options(settings: Settings) -> dict[str, Any]:
    """What ``@bentoml.service`` is told. BentoML's own timeout only backs up the deadline of the batcher."""
    return {
        "name": SERVICE_NAME,
        "workers": settings.workers,
        "http": {"host": settings.host, "port": settings.port},
        "traffic": {"timeout": settings.body_seconds + settings.deadline_seconds + 5},
        "logging": {"access": {"enabled": settings.access_log}},
        "tracing": {"excluded_urls": None if settings.tracing else ".*"},
        "envs": [{"name": "BENTOML_DO_NOT_TRACK", "value": "True"}],
    }

"""Options of a run of the generator, as Locust's command line and web page have them."""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from loadtests.generator.mixes import FORMS, KINDS, Mix, MixError, parse_pictures, parse_weights

# Name, type, default, and meaning of each option.
OPTIONS: Final[tuple[tuple[str, type, Any, str], ...]] = (
    ("rate", float, 50.0, "requests due a second, of all processes together (open loop)"),
    ("duration", float, 30.0, "seconds that are measured"),
    ("warm_up", float, 2.0, "seconds before these"),
    ("seed", int, 1, "of arrivals and requests"),
    ("slo_ms", float, 50.0, "a correct response within so many ms of its due time is in time"),
    ("mix", str, "canvas", f"mixed, or pictures with weights: {','.join(f'{kind}:1' for kind in KINDS)}"),
    ("models", str, "digits", "models with weights: digits:9,fashion:1"),
    ("forms", str, ",".join(FORMS), "forms of the body, in turn"),
    ("pictures", str, "", "a folder of your own pictures, in place of the mix"),
    ("batch", int, 64, "images in a request (offline)"),
    ("in_flight", int, 512, "requests that may be unanswered in each process; further ones are dropped (open loop)"),
    ("timeout", float, 30.0, "seconds that a response is waited for"),
    ("result", str, "", "file for the result, in JSON"),
)
KEY_VARIABLE: Final = "API_KEY"


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The options of a run; see ``OPTIONS``. ``key`` is an API key, from the environment, so that nobody reads it."""

    rate: float
    duration: float
    warm_up: float
    seed: int
    slo_ms: float
    mix: str
    models: str
    forms: str
    pictures: str
    batch: int
    in_flight: int
    timeout: float
    result: str
    key: str = ""

    @classmethod
    def of(cls, parsed: argparse.Namespace) -> "RunOptions":
        """The options that Locust parsed, as text from its web page or typed from the command line.

        Raises:
            MixError: a number that is none or not above 0.
        """
        values = {}
        for name, convert, _, _ in OPTIONS:
            given = getattr(parsed, name)
            try:
                values[name] = convert(given)
            except ValueError as error:
                raise MixError(f"--{name.replace('_', '-')} {given}: is no number") from error
            if convert is not str and name not in ("seed", "warm_up") and not values[name] > 0:
                raise MixError(f"--{name.replace('_', '-')} {given}: must be above 0")
        return cls(**values, key=os.environ.get(KEY_VARIABLE, ""))

    def picture_mix(self, images: int = 1) -> Mix:
        """The mix of requests.

        Raises:
            MixError: a mix, a model or a form that cannot be.
        """
        return Mix(
            pictures=parse_pictures(self.mix),
            models=parse_weights(self.models),
            forms=tuple(parse_weights(self.forms, FORMS)),
            folder=Path(self.pictures) if self.pictures else None,
            images=images,
        )

    def settings(self) -> dict[str, str]:
        """All options but the key and the file, as text for a report."""
        return {name: str(getattr(self, name)) for name, _, _, _ in OPTIONS if name != "result"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options to Locust's own; its web page leaves out those of a group."""
    for name, convert, default, meaning in OPTIONS:
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=convert, default=default, help=f"{meaning} ({default})")

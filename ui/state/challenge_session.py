"""The challenge of one visitor: the game, the model that judges it, and what the visitor keeps of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from secrets import token_hex
from typing import Final

import streamlit as st

from ui.api.client import Client, ServiceError, ServiceUnavailable
from ui.api.schemas import Model
from ui.state.challenge import Attempt, Challenge
from ui.state.deletions import deletions_of

_SESSION_KEY: Final = "challenge"


@dataclass(slots=True)
class ChallengeSession:
    """A game with a model on a device. `picture` is the PNG of what is drawn at the moment.

    `saved` counts the drawings that were saved in the service's gallery; `failure` is why the rest is not saved.
    """

    game: Challenge
    model: Model
    device: str
    picture: bytes | None = None
    saved: int = 0
    failure: ServiceUnavailable | ServiceError | None = None
    id: str = field(default_factory=partial(token_hex, 8))

    @classmethod
    def current(cls) -> "ChallengeSession | None":
        """Return the challenge of the visitor for whom the page runs, if there is one."""
        challenge = st.session_state.get(_SESSION_KEY)
        return challenge if isinstance(challenge, cls) else None

    @classmethod
    def start(cls, model: Model, device: str) -> None:
        """Begin a challenge."""
        st.session_state[_SESSION_KEY] = cls(Challenge(model.card.labels), model, device)

    @staticmethod
    def close() -> None:
        """Forget the challenge and its drawings."""
        st.session_state.pop(_SESSION_KEY, None)

    def save(self, client: Client, attempts: Sequence[Attempt]) -> None:
        """Save drawings with the labels that were asked for. Stop at the first failure; the next call goes on there.

        Each drawing has a key, so that the service stores none twice.
        """
        self.failure = None
        deletions_of(client).finish_deleting_all()
        for number, attempt in enumerate(attempts[self.saved :], start=self.saved):
            key = f"challenge-{self.id}-{number}"
            try:
                entry = client.save(attempt.picture or b"", model=self.model.name, device=self.device, key=key)
                client.correct(entry.id, attempt.wanted)
            except (ServiceUnavailable, ServiceError) as failure:
                self.failure = failure
                return
            self.saved += 1

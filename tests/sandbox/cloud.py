# SPDX-License-Identifier: Apache-2.0
"""One cloud as the services see it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from tests.sandbox.creation import Creations
from tests.sandbox.deletion import Deletions
from tests.sandbox.knobs import Knobs
from tests.sandbox.restoration import Restores
from tests.sandbox.state import CloudState


@dataclass
class Cloud:
    state: CloudState
    knobs: Knobs
    creations: Creations
    deletions: Deletions
    restores: Restores
    clock: Callable[[], float]

    @classmethod
    def new(
        cls,
        knobs: Knobs,
        clock: Callable[[], float],
        epoch: datetime | None = None,
    ) -> 'Cloud':
        state = CloudState(clock, epoch=epoch)
        return cls(
            state,
            knobs,
            Creations(state, knobs, clock),
            Deletions(state, knobs, clock),
            Restores(state, knobs, clock),
            clock,
        )

    def advance(self) -> None:
        """Bring the state up to now; hold its lock."""
        self.state.agenda.run_due()
        self.deletions.advance()

"""What a composer is: a plan in, bars out. Importing it loads neither torch nor cv2.

A new composer is one file with a subclass of `Composer` and a line in COMPOSERS; another package adds one by the entry
point `hitpoint.composers`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from hitpoint.model.errors import UsageError
from hitpoint.model.music.score import GENRES, Bar
from hitpoint.model.plan.types import Plan
from hitpoint.model.registry import Registry


@dataclass(frozen=True)
class ComposerOptions:
    """What the user says about a composer; each takes what concerns it.

    checkpoint: weights, None for the shipped ones. device: "auto", "cpu" or "cuda". threads: processor threads, None
    for the composer's own choice. library: a folder of MIDI files or of shards. select: how stretches of it are chosen.
    association: a file of `hitpoint associate`, None for the shipped one.
    """

    checkpoint: Path | None = None
    device: str = "auto"
    threads: int | None = None
    library: Path | None = None
    select: str = "emotion"
    association: Path | None = None


@dataclass
class Stats:
    """What the last piece cost: rows decoded and seconds spent, and the mask pressure in nats a bar by attribute."""

    tokens: int = 0
    seconds: float = 0.0
    bars: int = 0
    pressure_by_attribute: dict[str, float] | None = None

    @property
    def tokens_per_s(self) -> float:
        """Rows a second of decoding."""
        return self.tokens / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Account:
    """How a composer came to its piece, for the report.

    told: sentences on what it had to bend or could not do. sections: what it says of each section, named figures; ()
    where it has nothing to say.
    """

    told: tuple[str, ...] = ()
    sections: tuple[dict[str, object], ...] = ()


def nothing() -> None:
    """What a composer does with each step unless it is told otherwise."""


class Composer(ABC):
    """Composes plans. Not for use from several threads at once.

    key: the name it is asked for by. uses_library: whether it makes use of `ComposerOptions.library`. name, sha256,
    parameters: of the weights or the library, for the report and the MIDI file. stats: what the last piece cost.
    genres: those it can compose. conditions: what it hears of a bar beyond what CMT tells a network ("root_0", "mode",
    "valence" ...: the columns of `network.conditions`); what is not among them makes no difference to its music.
    own_chords: whether its music has chords of its own, so that those are named in files and not the plan's.
    steps: raised with each small step (a token, a diffusion step), so that whoever waits can tell work from a loop
    that never ends; another thread reads it. Where it never moves, a bar is judged as a whole, and later.
    on_step: called with each small step; what it raises calls the piece off, and the composer is as good as before.
    """

    key: ClassVar[str]
    uses_library: ClassVar[bool] = False
    own_chords: ClassVar[bool] = False
    name: str = ""
    sha256: str = ""
    parameters: int = 0
    genres: tuple[str, ...] = GENRES
    conditions: frozenset[str] = frozenset()
    steps: int = 0

    def __init__(self) -> None:
        self.stats = Stats()
        self.on_step: Callable[[], None] = nothing

    def step(self, count: int = 1) -> None:
        """`count` small steps are done. Raises what `on_step` raises."""
        self.steps += count
        self.on_step()

    @classmethod
    @abstractmethod
    def create(cls, options: ComposerOptions) -> Composer:
        """The composer, ready to compose. Raises InputError, MissingError or UsageError where it cannot be."""

    @abstractmethod
    def stream(self, plan: Plan, seed: int, history: Sequence[Bar] = ()) -> Iterator[Bar]:
        """The bars from `len(history)` on, one by one; the same plan, seed and history give the same bars."""

    def ahead(self, plan: Plan, seed: int, history: Sequence[Bar] = ()) -> Iterator[Bar]:
        """As `stream`, for bars that are wanted at once and will be replaced: a composer whose first bar takes long
        overrides it with something quicker."""
        return self.stream(plan, seed, history)

    def forget(self, plan: Plan, bars: Sequence[Bar], kept: int) -> None:  # noqa: B027  (many remember nothing)
        """Of music without end only the last `kept` of `bars` will be there from now on: they become the history that
        `stream` is given next, and going on from there is to be as quick as it was.
        """

    def together(self, plan: Plan, seeds: Sequence[int]) -> Iterator[tuple[int, Bar]]:
        """(place of the seed, bar) of one whole piece for each seed, each piece's bars in order, as they come.

        As it stands here one piece comes after another; a composer that is quicker side by side overrides it, and then
        a bar may be one that `stream` would have written again (`hitpoint.model.music.flaws`).
        """
        for place, seed in enumerate(seeds):
            for bar in self.stream(plan, seed):
                yield place, bar

    def takes(self, plan: Plan, seeds: Sequence[int], on_bar: Callable[[Bar], None] | None = None) -> list[list[Bar]]:
        """One whole piece for each seed, as `stream` alone would give it; `on_bar` is called with each bar as it comes.

        As it stands here they are composed one after another; a composer that is quicker side by side overrides it.
        """
        pieces, tokens, seconds = [], 0, 0.0
        for seed in seeds:
            piece = []
            for bar in self.stream(plan, seed):
                piece.append(bar)
                if on_bar is not None:
                    on_bar(bar)
            pieces.append(piece)
            tokens, seconds = tokens + self.stats.tokens, seconds + self.stats.seconds
        self.stats = Stats(tokens, seconds, sum(map(len, pieces)))
        return pieces

    def is_stale(self) -> bool:
        """Whether what it was made from has changed since, so that a new one would compose otherwise."""
        return False

    def account(self, plan: Plan, seed: int, bars: Sequence[Bar]) -> Account:
        """How it came to `bars`, the piece of this plan and seed, or what edits made of it. From any thread."""
        return Account()

    def regenerate(
        self,
        plan: Plan,
        bars: Sequence[Bar],
        first_bar: int,
        last_bar: int,
        instruments: Sequence[int] | None = None,
        seed: int = 0,
    ) -> list[Bar]:
        """The piece with bars first_bar..last_bar (inclusive) written again, the others as they are.

        instruments: only these get new notes; None: all. As it stands here the bars come from `stream`, going on from
        those before them; all instruments of a bar are written together.
        Raises UsageError for bars outside the piece or instruments that cannot be written by themselves.
        """
        check_regenerate(plan, bars, first_bar, last_bar, instruments)
        if instruments is not None and set(instruments) != set(plan.instruments):
            raise UsageError(f"the composer {self.key} writes all instruments of a bar together; leave none out")
        new = self.stream(plan, seed, bars[:first_bar])
        written = [bar for bar, _ in zip(new, range(first_bar, last_bar + 1), strict=False)]
        return [*bars[:first_bar], *written, *bars[last_bar + 1 :]]


def check_regenerate(
    plan: Plan, bars: Sequence[Bar], first_bar: int, last_bar: int, instruments: Sequence[int] | None
) -> None:
    """Raise UsageError for bars outside the piece, no instrument, or one that the plan does not hold."""
    if not 0 <= first_bar <= last_bar < len(bars) or len(bars) > len(plan.bars):
        raise UsageError(f"bars {first_bar}-{last_bar} are not in this piece; it has bars 0-{len(bars) - 1}")
    if instruments is not None and not (instruments and set(instruments) <= set(plan.instruments)):
        raise UsageError("no such instrument in this piece; name one that it was composed for")


DEFAULT = "cmt"
COMPOSERS: Registry[Composer] = Registry(
    "composer",
    {
        DEFAULT: "hitpoint.model.compose.cmt.composer:CmtComposer",
        "library": "hitpoint.model.compose.library.composer:LibraryComposer",
        "match": "hitpoint.model.compose.library.match:MatchComposer",
        "diffusion": "hitpoint.model.compose.diffusion.composer:DiffusionComposer",
    },
    "hitpoint.composers",
)

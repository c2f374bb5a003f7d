# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type, misc"
"""What the user wishes, as properties of the scene, and the extension's preferences."""

from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, PointerProperty, StringProperty

from . import compat, session

GENRES = ("country", "dance", "electronic", "metal", "pop", "rock", "orchestral")
"""What the bridge could do when this was written: shown until one says what it can."""
INSTRUMENTS = ("drums", "piano", "guitar", "bass", "strings")
TEMPO = [
    ("AUTO", "Auto", "The tempo that meets the cuts best"),
    ("FIXED", "Fixed", "Exactly this tempo"),
    ("RANGE", "Range", "The best tempo within these bounds"),
]
CUTS = [
    ("auto", "All cuts", "The cuts of your edit, and those inside the clips"),
    ("strips", "Edit points only", "Only where one strip follows another; cuts inside a clip are left alone"),
]
MOODS = [
    ("auto", "From the picture", "What light, colour, motion and cuts say"),
    ("off", "None", "The picture's mood is left aside"),
    *((name, name.capitalize(), "") for name in ("exciting", "fearful", "tense", "sad", "relaxing", "neutral")),
]
FLAGS: dict[str, Any] = {
    "items": [(name, name.capitalize(), "", 1 << index) for index, name in enumerate(INSTRUMENTS)],
    "options": {"ENUM_FLAG"},
}
BPM: dict[str, Any] = {"min": 30, "max": 300, "precision": 1}
COMPOSERS = ("cmt", "library", "match", "diffusion")
"""As GENRES; the first composes unless another one is chosen."""
USUAL = {"genres": GENRES, "composers": COMPOSERS}
TITLES = {"cmt": "Network", "library": "Your music, joined anew", "match": "Your music, as it is"}
"""Names that say nothing to an editor."""
HARMONIES = [
    ("auto", "Planned", "Chords are planned for the whole piece, and the composer leans to them"),
    ("bound", "Binding", "The planned chords are kept strictly, on the beats"),
    ("off", "Free", "No chords are planned: they are the composer's"),
    ("file", "My own", "The chords of a text file with lines such as 0.0 Am7: bar, half of the bar, chord"),
]
METERS = [
    ("4/4", "4/4", "Four beats a bar"),
    ("3/4", "3/4", "Three beats a bar"),
    ("6/8", "6/8", "Two beats of three eighths a bar"),
    ("auto", "Auto", "3/4 or 6/8 where what moves plainly keeps it, else 4/4"),
]
LEADS = [("auto", "Auto", "Whoever suits the section"), *((name, name.capitalize(), "") for name in INSTRUMENTS[1:])]
_shown: dict[tuple[str, ...], list[tuple[str, str, str]]] = {}
"""Blender does not keep the texts of a list that a function makes, so that they must be kept here."""


def items_of(kind: str) -> list[tuple[str, str, str]]:
    """The genres or composers that the bridge offers; those last known while there is none."""
    client = session.client
    names = tuple((client.names.get(kind) if client is not None else None) or USUAL[kind])
    if names not in _shown:
        _shown[names] = [(name, TITLES.get(name, name.capitalize()), "") for name in names]
    return _shown[names]


def _offered(kind: str, kept: str, name: str, description: str) -> Any:
    """A choice of what the bridge offers; the property `kept` holds its name, whatever it offers later."""

    def index(settings: Any) -> int:
        names = [item[0] for item in items_of(kind)]
        return names.index(getattr(settings, kept)) if getattr(settings, kept) in names else 0

    def choose(settings: Any, index: int) -> None:
        setattr(settings, kept, items_of(kind)[index][0])

    return EnumProperty(name=name, description=description, items=lambda _, __: items_of(kind), get=index, set=choose)


def _mute_changed(settings: Any, _: Any) -> None:
    settings.tell_mutes()


def _control_changed(settings: Any, _: Any) -> None:
    if session.playhead.live:
        job = session.client.job
        session.client.send("/hitpoint/control/control", settings.control)
        session.client.send("/hitpoint/control/energy", settings.energy - (job.about["energy"] if job else 0.0))


def _live_changed(manager: Any, context: Any) -> None:
    session.set_live(manager.hitpoint_live, compat.scene_of(context))


def _mood_changed(name: str) -> Any:
    def tell(settings: Any, _: Any) -> None:
        if session.playhead.live:
            session.client.send(f"/hitpoint/control/{name}", getattr(settings, name))

    return tell


def _mood_dial(name: str, description: str) -> Any:
    return FloatProperty(name=name.capitalize(), description=description, subtype="FACTOR", min=-1, max=1,
                         update=_mood_changed(name))  # fmt: skip


FACTOR: dict[str, Any] = {"subtype": "FACTOR", "update": _control_changed}


class HitpointSettings(bpy.types.PropertyGroup):
    """What the user wishes, and what the file remembers of its scores."""

    style: StringProperty(default="pop")
    genre: _offered("genres", "style", "Genre", "The style of the music")
    maker: StringProperty(default=COMPOSERS[0])
    composer: _offered(
        "composers", "maker", "Composer", "Who writes the music: a network, or your own music, cut to the film"
    )
    library: StringProperty(
        name="Your music",
        description="A folder of MIDI files, for composers that play what is there",
        subtype="DIR_PATH",
    )
    instruments: EnumProperty(name="Instruments", description="Who may play", default=set(INSTRUMENTS), **FLAGS)
    tempo: EnumProperty(name="Tempo", description="Who chooses the tempo", items=TEMPO)
    bpm: FloatProperty(name="BPM", description="Quarter notes a minute", default=120, **BPM)
    bpm_low: FloatProperty(name="From", description="The slowest tempo, in quarter notes a minute", default=90, **BPM)
    bpm_high: FloatProperty(name="To", description="The quickest tempo, in quarter notes a minute", default=140, **BPM)
    cuts: EnumProperty(name="Hit", description="Which cuts the music is to hit", items=CUTS)
    seed: IntProperty(name="Seed", description="Another number gives other music; the same gives the same", min=0)
    stems: BoolProperty(name="One strip for each instrument", description="For mixing: a sound strip an instrument")
    control: FloatProperty(
        name="Follow picture",
        description="How binding the picture is: 1 makes every hit point and density binding, 0 leaves all free",
        **FACTOR,
        min=0,
        max=1,
        default=0.7,
    )
    energy: FloatProperty(name="Energy", description="Loudness", min=-0.5, max=0.5, **FACTOR)
    suggest: BoolProperty(name="Suggest the genre", description="From the picture, its names and your words")
    describe: StringProperty(name="In words", description="The film in your own words, for its mood and genre")
    mood: EnumProperty(name="Mood", description="What the music is to feel like", items=MOODS)
    key: StringProperty(name="Key", description="Such as A minor; where it is empty, picture and seed choose one")
    harmony: EnumProperty(name="Chords", description="Where the chords come from", items=HARMONIES)
    progression: StringProperty(
        name="Chord file", description="A text file with lines such as 0.0 Am7", subtype="FILE_PATH"
    )
    lead: EnumProperty(name="Lead", description="Who has the tune", items=LEADS)
    motif: StringProperty(
        name="Tune", description="A MIDI file with one to four bars of your own, to be quoted", subtype="FILE_PATH"
    )
    meter: EnumProperty(name="Metre", description="The time signature", items=METERS)
    odd_bars: BoolProperty(
        name="Odd bars", description="Let single bars be shorter, so that more cuts fall on a downbeat"
    )
    valence: _mood_dial("valence", "Gladder or sadder than the mood")
    arousal: _mood_dial("arousal", "Livelier or calmer than the mood")
    tension: _mood_dial("tension", "Tenser or easier than the mood")
    mute: EnumProperty(name="Mute", description="Silence it live", update=_mute_changed, **FLAGS)
    memory: StringProperty()

    def options(self) -> tuple[str | float | int, ...]:
        """Keys and values of /hitpoint/score. Three takes are made in one go, so that they can be compared at once."""
        tempo = {"AUTO": "auto", "FIXED": f"{self.bpm:g}", "RANGE": f"{self.bpm_low:g}-{self.bpm_high:g}"}[self.tempo]
        names = ",".join(name for name in INSTRUMENTS if name in self.instruments) or "all"
        numbers = ("control", round(self.control, 3), "energy", round(self.energy, 3), "seed", self.seed)
        more = ("cuts", self.cuts, "takes", 3, "wav", 1, "stems", int(self.stems))
        genre = "auto" if self.suggest else self.genre
        first = ("genre", genre, "instruments", names, "tempo", tempo, *numbers, *more)
        return (*first, *self._mood_options(), *self._composer_options())

    def _composer_options(self) -> tuple[str, ...]:
        """Who composes, where it is not the usual one; with a folder of music for those that have one."""
        if self.composer == COMPOSERS[0]:
            return ()
        folder = bpy.path.abspath(self.library)
        return ("composer", self.composer, *(("library", folder) if folder else ()))

    def _mood_options(self) -> tuple[str | float, ...]:
        """Those of mood, chords and tune; nothing is added to a mood that is off."""
        dials = () if self.mood == "off" else ("valence", "arousal", "tension")
        added = [(name, round(getattr(self, name), 3)) for name in dials if getattr(self, name)]
        words = [(name, value) for name in ("describe", "key") if (value := getattr(self, name).strip())]
        words += [
            (name, value) for name, value in (("harmony", self._chords()), ("lead", self.lead)) if value != "auto"
        ]
        words += [("motif", bpy.path.abspath(self.motif))] if self.motif else []
        words += [("meter", self.meter)] if self.meter != METERS[0][0] else []
        words += [("odd-bars", "on")] if self.odd_bars else []
        return ("mood", self.mood, *(value for pair in (*added, *words) for value in pair))

    def _chords(self) -> str:
        """Where the chords come from. Raises HostError where a file of one's own is chosen but not named."""
        if self.harmony != "file":
            return str(self.harmony)
        if not self.progression:
            raise compat.HostError("Choose the file with your chords, or let them be planned.")
        return str(bpy.path.abspath(self.progression))

    def tell_mutes(self) -> None:
        """Tell the bridge which instruments are silent."""
        for name in INSTRUMENTS:
            session.client.send("/hitpoint/mute", name, int(name in self.mute))


class HitpointPreferences(bpy.types.AddonPreferences):
    """Port and place of the bridge."""

    bl_idname = __package__
    port: IntProperty(
        name="Port", description="Where the hitpoint program on this machine listens", default=7710, min=1024, max=65535
    )
    bridge_path: StringProperty(
        name="hitpoint program", description="Empty: the one that `hitpoint install blender` noted", subtype="FILE_PATH"
    )

    def draw(self, _: Any) -> None:
        """Two rows; both are read when the extension is enabled or the bridge started."""
        self.layout.prop(self, "port")
        self.layout.prop(self, "bridge_path")


CLASSES = (HitpointSettings, HitpointPreferences)


def attach() -> None:
    """Give scenes their settings, and the window its live switch, which no file keeps."""
    bpy.types.Scene.hitpoint = PointerProperty(type=HitpointSettings)
    bpy.types.WindowManager.hitpoint_live = BoolProperty(
        name="Live", description="The synth follows the playhead", options={"SKIP_SAVE"}, update=_live_changed
    )


def detach() -> None:
    """Undo `attach`."""
    del bpy.types.Scene.hitpoint, bpy.types.WindowManager.hitpoint_live

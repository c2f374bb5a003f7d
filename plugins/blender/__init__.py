# SPDX-License-Identifier: GPL-3.0-or-later
"""Hitpoint in the Video Sequence Editor: music that hits the cuts, by the bridge on this machine."""

from __future__ import annotations

bl_info = {  # read by Blender before 4.2 only; the manifest says it all elsewhere
    "name": "Hitpoint",
    "author": "The Hitpoint authors",
    "version": (0, 1, 0),
    "blender": (3, 4, 0),
    "location": "Video Sequencer > Sidebar > Hitpoint",
    "description": "Music that hits your cuts",
    "category": "Sequencer",
}
VERSION = ".".join(str(number) for number in bl_info["version"])


def register() -> None:
    """Classes, then the running session."""
    import bpy

    from . import compat, cutting, operators, panel, session, settings, words

    assert cutting  # its buttons are among the operators'
    for cls in (*settings.CLASSES, *panel.CLASSES, *operators.CLASSES):
        bpy.utils.register_class(cls)
    settings.attach()
    bpy.app.translations.register(__name__, words.table())
    preferences = compat.preferences()
    session.start(preferences.port if preferences else 7710, VERSION)


def unregister() -> None:
    """The same backwards."""
    import bpy

    from . import operators, panel, session, settings

    session.stop()
    bpy.app.translations.unregister(__name__)
    settings.detach()
    for cls in reversed((*settings.CLASSES, *panel.CLASSES, *operators.CLASSES)):
        bpy.utils.unregister_class(cls)

"""What somebody says live of how the picture feels, put into a plan that stands."""

from __future__ import annotations

from dataclasses import replace

from hitpoint.model.mood.affect import emotion_of
from hitpoint.model.plan.types import Affect, Plan

USUAL_TENSION = 0.25
"""Where no mood was planned."""


def with_scene(plan: Plan, first_bar: int, valence: float, arousal: float) -> Plan:
    """`plan` with this feeling (-1..1 each) from a bar on, to the end or until another one comes; a section begins
    there."""
    if not 0 <= first_bar < len(plan.bars):
        return plan
    emotion = emotion_of(valence, arousal)
    bars = list(plan.bars)
    for index in range(first_bar, len(bars)):
        tension = USUAL_TENSION if (felt := bars[index].affect) is None else felt.tension
        bars[index] = replace(bars[index], affect=Affect(valence, arousal, tension, emotion))
    sections = []
    for section in plan.sections:
        if section.first_bar < first_bar < section.end_bar:
            sections.append(replace(section, end_bar=first_bar))
            section = replace(section, first_bar=first_bar)
        sections.append(replace(section, pull=(0.0, 0.0)) if section.first_bar >= first_bar else section)
    return renumbered(replace(plan, bars=tuple(bars), sections=tuple(sections), scene_bar=first_bar))


def renumbered(plan: Plan) -> Plan:
    """`plan` with each bar's section as its sections have it."""
    number = {bar: at for at, section in enumerate(plan.sections) for bar in range(section.first_bar, section.end_bar)}
    bars = tuple(
        bar if bar.section == number.get(bar.index, bar.section) else replace(bar, section=number[bar.index])
        for bar in plan.bars
    )
    return replace(plan, bars=bars)

"""Diffusion on the piano roll: tune and accompaniment at once, eight bars at a time, from noise."""

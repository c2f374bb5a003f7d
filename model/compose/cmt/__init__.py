"""The Controllable Music Transformer: masked decoding of a plan (Di et al. 2021)."""

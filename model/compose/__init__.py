"""Composers: a plan in, bars out. One folder a composer."""

"""Who plays when, and how they strike, breathe, lead in and end."""

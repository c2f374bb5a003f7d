"""From the picture's rhythm and the user's wishes to a plan. Only `types` may be imported by the bridge."""

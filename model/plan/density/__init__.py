"""How much happens in a bar, and how loud it is."""

"""The example film, as `hitpoint demo` finds it in an installed package."""

"""Blender's extension, put into place."""

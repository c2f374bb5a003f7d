"""REAPER: file requests and answers for its Lua, and its scripts put into place."""

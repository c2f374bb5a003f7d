"""OSC: the codec, the table of messages, the aliases."""

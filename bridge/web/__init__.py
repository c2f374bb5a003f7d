"""The page: a second carrier of the bridge's session, and the films and files that it shows."""

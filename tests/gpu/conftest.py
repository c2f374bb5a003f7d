"""The songs and shards of the model's tests."""

from tests.model.conftest import shard_folder, song_folder

__all__ = ["shard_folder", "song_folder"]

"""Opening a film file: which kinds are read, in which way, and one clear sentence for every file that is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hitpoint.model.errors import InputError

if TYPE_CHECKING:
    from av.container import InputContainer

CONTAINERS = (
    "3g2", "3gp", "apng", "asf", "av1", "avi", "avs2", "cavsvideo", "dirac", "dnxhd", "dv", "evc", "flic", "flv", "gif",
    "gxf", "h261", "h263", "h264", "hevc", "ivf", "jpegxl_anim", "lxf", "m4v", "matroska", "mjpeg", "mov", "mp4",
    "mpeg", "mpegts", "mpegvideo", "mxf", "nsv", "nut", "nuv", "obu", "ogg", "rm", "vc1", "vc1test", "vvc", "webm",
    "wtv", "yuv4mpegpipe",
    "aac", "ac3", "aiff", "caf", "flac", "mp3", "wav",  # sound, so that it can be said that it is sound
)  # fmt: skip
"""libav's names of the formats that hold their whole film in one file. All others stay shut: playlists, descriptions of
a session and lists of parts, which lead to other files, and texts and single pictures, which are not films."""
PROTOCOLS = "file"
"""What libav may open: local files, no network, no file inside another."""
BARE = ("h264", "hevc", "vvc", "mpegvideo", "m4v", "mjpeg", "obu", "vc1", "dirac", "cavsvideo", "avs2", "evc")
"""Those that are one stream without a container, so without times; their rate may be missing too."""
MAX_PIXELS = 80_000_000
"""Of one frame: a 12K camera's, 12288 x 6480, still passes."""

LARGE = 64 << 20
"""Bytes; a file below this is read whatever the disk holds of it."""
LEAST_SHARE = 0.1
"""Of a large file's bytes that must be there: a hole, or an unfinished download, takes minutes to read."""

_BLOCK = 512  # the unit of st_blocks
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*", b"v/1\x01", b"8BPS", b"SDPX", b"XPDS")
_PLAYLISTS = (b"#EXTM3U", b"ffconcat", b"[playlist]", b"v=0\r\n", b"v=0\n", b"<?xml", b"[Reference]", b"<ASX", b"<smil")
_WEBP_ANIMATION = 0x02


@dataclass(frozen=True)
class Identity:
    """What tells one state of a file from the next, as the system keeps it: any change of content changes it."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int

    @classmethod
    def of(cls, path: Path) -> Identity:
        """The file that stands under this name now. Raises OSError."""
        found = path.stat()
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def check_file(path: Path) -> None:
    """Raise InputError unless `path` is a regular file with content."""
    if path.is_dir():
        raise InputError(f"{path} is a folder; give a video file{_of_pictures(path)}")
    if not path.exists():
        raise InputError(f"{path} does not exist; check its name and folder")
    if not path.is_file():
        raise InputError(f"{path} is not a regular file; give a video file")
    found = path.stat()
    if found.st_size == 0:
        raise InputError(f"{path} is empty; export or copy the film again")
    here = getattr(found, "st_blocks", found.st_size // _BLOCK) * _BLOCK
    if found.st_size > LARGE and here < found.st_size * LEAST_SHARE:
        raise InputError(
            f"only {here / 1e9:.1f} of the {found.st_size / 1e9:.1f} GB of {path} are on this disk; wait until its "
            "download or copy is complete"
        )


def _of_pictures(folder: Path) -> str:
    endings = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".exr", ".dpx", ".bmp", ".tga", ".webp"}
    try:
        numbered = any(each.suffix.lower() in endings for each in folder.iterdir())
    except OSError:
        return ""
    return (
        ", made of these pictures by your editor or by ffmpeg (-framerate 24 -pattern_type glob -i '*.png')" * numbered
    )


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn a refusal of the system or of the decoder into an InputError of one sentence."""
    import av

    try:
        yield
    except PermissionError:
        raise InputError(f"{path.name} cannot be read (permission denied); change its permissions") from None
    except (av.error.InvalidDataError, av.error.EOFError):
        raise InputError(
            f"{path.name} is not a film, or is damaged; give a file that a video player can open"
        ) from None
    except av.error.FFmpegError as error:
        reason = error.strerror or "unknown reason"
        raise InputError(f"{path.name} cannot be decoded ({reason}); convert it to H.264 and try again") from None
    except OSError as error:
        raise InputError(f"{path.name} cannot be read ({error.strerror}); copy it and try again") from None


def open_container(path: Path, **options: str) -> InputContainer:
    """Open a local film. Its path is made absolute, so that "scene:1.mp4" is not taken for a protocol.

    Raises InputError for a file of a kind that is not read, and libav's own errors (see `reading`).
    """
    import av

    limits = {"protocol_whitelist": PROTOCOLS, "format_whitelist": ",".join(CONTAINERS), "max_pixels": str(MAX_PIXELS)}
    try:
        return av.open(str(path.absolute()), options=limits | options, metadata_errors="replace")
    except av.error.ArgumentError:  # a format that is not on the list
        raise InputError(f"{path.name} {_kind(path)}") from None


def stated_rate(path: Path, container: InputContainer) -> bool:
    """Whether a bare stream without any times says its frame rate; libav takes 25 where it does not.

    It is asked a second time with another rate to fall back upon: what changes with it was not said.
    """
    if container.format.name not in BARE:
        return True
    with open_container(path, framerate="7") as again:
        return bool(again.streams.video[0].guessed_rate == container.streams.video[0].guessed_rate)


def _kind(path: Path) -> str:
    """What a file is that is not read, and what to do about it."""
    with path.open("rb") as file:
        head = file.read(64)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        animated = head[12:16] == b"VP8X" and head[20] & _WEBP_ANIMATION
        if animated:
            return "is an animated WebP, which cannot be read; convert it to a GIF or MP4"
        return "is a single frame; give a film that moves"
    if head.startswith(_PICTURES):
        return "is a single frame; give a film that moves"
    if head.lstrip(b"\xef\xbb\xbf \r\n").startswith(_PLAYLISTS):
        return "is a playlist or a description that leads to other files; give the video file itself"
    return "is a text, a picture or another file that is not a film; give a video file"

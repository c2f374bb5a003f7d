"""AAF of Avid Media Composer and Pro Tools, through OpenTimelineIO and its AAF adapter, which are optional."""

from __future__ import annotations

from pathlib import Path

from hitpoint.model.errors import MissingError
from hitpoint.model.video.timeline import otio
from hitpoint.model.video.timeline.tracks import Reading, TimelineError


def read(path: Path) -> Reading:
    """What the first composition of the file shows, seconds from its start.

    Raises MissingError without the library, TimelineError where the file is none or damaged.
    """
    try:
        import aaf2  # noqa: F401
        import opentimelineio
        import otio_aaf_adapter  # noqa: F401
    except ImportError:
        raise MissingError(
            f"{path.name} needs a library: pip install 'hitpoint[aaf]', or export the timeline as EDL, XML or OTIO"
        ) from None
    try:
        timeline = opentimelineio.adapters.read_from_file(str(path), adapter_name="AAF")
        text = opentimelineio.adapters.write_to_string(timeline, "otio_json")
    except RecursionError:
        raise TimelineError("its compositions contain each other without end") from None
    except Exception as error:  # the adapter lets through what its parsers raise, of any kind
        raise TimelineError("it is not an AAF file that can be read, or is damaged") from error
    return otio.read(text)

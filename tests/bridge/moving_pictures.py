"""Pictures whose looks, cuts and motion are known, as frames and as a film."""

from __future__ import annotations

import numpy as np

from hitpoint.model.video.frames import Frame

FPS = 25


def picture(at_s, hue, speed, number):
    """A frame of a textured look that moves sideways, `speed` in frame widths a second."""
    rng = np.random.default_rng(hue)
    texture = rng.integers(0, 120, (72, 256, 3), np.uint8) // 40 * 40
    texture[..., hue % 3] |= 128
    shift = round(speed * 128 * number / FPS) % 128
    bgr = np.ascontiguousarray(texture[:, shift : shift + 128])
    luma = (bgr.astype(np.uint16).sum(axis=2) // 4 + 16).astype(np.uint8)
    return Frame(at_s, luma, bgr)


def frames(*shots):
    """Frames of shots (look, speed, seconds), one after the other."""
    found, number = [], 0
    for hue, speed, seconds in shots:
        for place in range(round(seconds * FPS)):
            found.append(picture(number / FPS, hue, speed, place))
            number += 1
    return found


def write_film(path, seconds=2):
    """A film whose look changes in its middle, as a stream that needs no seeking."""
    import av

    with av.open(str(path), "w", format="mpegts") as out:
        stream = out.add_stream("mpeg2video", FPS)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 128, 72, "yuv420p", 5
        stream.bit_rate = 2_000_000
        for frame in frames((1, 0.2, seconds / 2), (2, 0.2, seconds / 2)):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame.bgr, "bgr24")))
        out.mux(stream.encode())

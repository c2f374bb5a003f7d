"""`python -m hitpoint.bridge.web.strip FILM COUNT`: frames of a film side by side, as a JPEG on standard output.

A program of its own, so that a film that crashes its decoder crashes nothing else.
"""

from __future__ import annotations

import sys
from pathlib import Path

HEIGHT = 72
MOST = 240


def main() -> int:
    """Exit code 3 and a sentence for a film that cannot be read."""
    import cv2
    import numpy as np

    from hitpoint.bridge.errors import HitpointError
    from hitpoint.model.video.film import probe
    from hitpoint.model.video.stills import stills
    from hitpoint.model.video.types import Clip

    path, count = Path(sys.argv[1]), max(1, min(MOST, int(sys.argv[2])))
    try:
        media = probe(path)
        width = max(2, round(HEIGHT * media.width / media.height))
        strip = np.zeros((HEIGHT, width * count, 3), np.uint8)
        for index in range(count):
            for picture in stills(Clip(path), [(index + 0.5) * media.duration_s / count]):
                small = cv2.resize(picture, (width, HEIGHT), interpolation=cv2.INTER_AREA)
                strip[:, index * width : (index + 1) * width] = small
    except HitpointError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    _, data = cv2.imencode(".jpg", strip[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 75])
    sys.stdout.buffer.write(data.tobytes())
    return 0


if __name__ == "__main__":
    sys.exit(main())

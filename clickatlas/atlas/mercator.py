"""Positions on the web mercator square, as map tiles cut it."""

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]

MOST_NORTH = 85.0511287798066  # where the mercator square ends


def mercator(lat: F64, lon: F64) -> tuple[F64, F64]:
    """Degrees to web mercator x and y in [0, 1); the poles are brought to its edge."""
    sine = np.sin(np.radians(np.clip(lat, -MOST_NORTH, MOST_NORTH)))
    y = 0.5 - np.log((1 + sine) / (1 - sine)) / (4 * np.pi)
    return (lon / 360.0 + 0.5) % 1.0, np.clip(y, 0.0, np.nextafter(1.0, 0.0))

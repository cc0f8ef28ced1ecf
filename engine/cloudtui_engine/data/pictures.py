"""One picture file: looked at, decoded, brought to the common mode and size. Pillow is imported late."""

from __future__ import annotations

import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cloudtui_engine.errors import BadInputError
from cloudtui_engine.sanitize import clean_line

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})
_GREY = ("1", "L", "LA", "La", "I")
_SIXTEEN_BITS = "I"
_ORIENTATION = 0x0112
_TURNED = frozenset({5, 6, 7, 8})


class UnreadablePicture(Exception):  # noqa: N818 - it is a finding, gathered and told with the others
    """A file that is no picture we can use; the text says why."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a picture's header says, turned the way it will be shown."""

    width: int
    height: int
    is_grey: bool


def need_pillow() -> None:
    """Find Pillow.

    Raises:
        BadInputError: it is not installed.
    """
    try:
        from PIL import Image  # noqa: F401 - an optional library
    except ImportError:
        raise BadInputError(
            "Reading pictures needs Pillow, which is not installed.", "pip install 'cloudtui[data]'"
        ) from None


def look(path: Path) -> Look:
    """Size and mode from the header alone.

    Raises:
        UnreadablePicture: it is not a picture, too large, or of a kind we do not read.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.filterwarnings("ignore", category=UserWarning)
            with Image.open(path) as picture:
                width, height = picture.size
                if picture.mode == "F":
                    raise UnreadablePicture("floating-point pixels")
                if picture.getexif().get(_ORIENTATION) in _TURNED:
                    width, height = height, width
                return Look(width, height, picture.mode.split(";")[0] in _GREY)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise UnreadablePicture("too many pixels") from None
    except _damage() as error:
        raise UnreadablePicture(_reason(error)) from None


def decode(path: Path, mode: str, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """The picture as (channels, height, width): turned as EXIF says, on white, centre-cropped and resized.

    Args:
        path: the file.
        mode: L or RGB.
        size: width and height.

    Raises:
        UnreadablePicture: it is damaged.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as opened:
            opened.draft(mode, (size[0] * 2, size[1] * 2))
            picture = _plain(ImageOps.exif_transpose(opened), mode)
    except _damage() as error:
        raise UnreadablePicture(_reason(error)) from None
    if picture.size != size:
        picture = ImageOps.fit(picture, size, Image.Resampling.BILINEAR)
    pixels = np.asarray(picture, dtype=np.uint8)
    return pixels[None] if mode == "L" else pixels.transpose(2, 0, 1)


def _plain(picture: Image.Image, mode: str) -> Image.Image:
    from PIL import Image

    if picture.mode.split(";")[0] == _SIXTEEN_BITS:
        wide = np.clip(np.asarray(picture).astype(np.int64), 0, 65535)
        picture = Image.fromarray((wide // 257).astype(np.uint8))
    if picture.has_transparency_data:
        clear = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
    return picture.convert(mode)


def _damage() -> tuple[type[Exception], ...]:
    """All that Pillow's readers raise on bytes that are not what they say."""
    return (
        OSError,
        SyntaxError,
        ValueError,
        TypeError,
        IndexError,
        KeyError,
        EOFError,
        struct.error,
        zlib.error,
    )


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return clean_line(error.strerror).lower()
    if "cannot identify" in str(error):
        return "not a picture"
    return clean_line(str(error), 80) or "damaged"

"""The images of an example: what a service would leave out or refuse.

Source: OpenAI's guide to vision fine-tuning (2024-2026): at most 10 images an example, of 10 MB each, as JPEG, PNG or
WEBP, at an https address or as a data URL, in messages of the user.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any
from urllib.parse import urlsplit

MOST = 10
MOST_BYTES = 10 * 1024 * 1024
DATA = re.compile(r"data:image/(?:jpeg|jpg|png|webp);base64,")
BEGINNINGS = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|RIFF.{4}WEBP", re.DOTALL)  # of JPEG, PNG and WEBP files
OTHER_TYPES = (".gif", ".bmp", ".tif", ".tiff", ".svg", ".heic", ".avif", ".ico", ".pdf", ".mp4")


def image_fault(part: dict[str, Any]) -> str | None:
    """Return what is wrong with an image_url part, or None."""
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, dict) else None
    if not isinstance(image, dict) or not isinstance(url, str):
        return 'image_url is not {"url": …}.'
    if image.get("detail", "auto") not in ("low", "high", "auto"):
        return f"detail is {image['detail']!r:.40}."
    if url.startswith("data:"):
        return _data_fault(url)
    try:
        parts = urlsplit(url)
    except ValueError:
        return f"The address {url!r:.40} cannot be read."
    if parts.scheme != "https" or not parts.netloc:
        return f"The address {url!r:.40} does not begin with https:// or data:image/."
    wrong = next((suffix for suffix in OTHER_TYPES if parts.path.lower().endswith(suffix)), None)
    return f"The address ends in {wrong}." if wrong else None


def _data_fault(url: str) -> str | None:
    head = DATA.match(url)
    if head is None:
        return f"The data URL begins with {url[:30]!r}."
    coded = url[head.end() :]
    if len(coded) * 3 // 4 > MOST_BYTES:
        return f"The image has {len(coded) * 3 // 4 / 1024 / 1024:.0f} MB."
    try:
        image = base64.b64decode(coded, validate=True)
    except (binascii.Error, ValueError):
        return "The image is not base64."
    return None if BEGINNINGS.match(image) else "The image is empty, or its bytes are not JPEG, PNG or WEBP."

"""Make readable, unique parts of a URL from titles."""

import re
import unicodedata

_NOT_ALLOWED = re.compile(r"[^a-z0-9]+")


def slugify(title):
    """Return *title* in lower-case ASCII words joined by dashes."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return _NOT_ALLOWED.sub("-", plain.lower()).strip("-")

"""The body of a server-side apply. The API server reads it as YAML, also where it is JSON.

YAML knows no surrogates: the two escapes by which JSON in ASCII writes a character beyond U+FFFF, an emoji in a tag, are refused.
Such a character has to stand as it is, and what YAML takes for no text, or for the end of a line, as an escape.
Source: YAML 1.2.2, sections 5.1 and 5.7.
"""

import json
import re
from typing import Final

_NO_TEXT: Final = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def yaml_body(body: object) -> bytes:
    """A JSON value as UTF-8 that JSON and YAML read alike."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    # Only texts have such characters, and there an escape says the same.
    return _NO_TEXT.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()

"""Fresh GUIDs for ids, etags and headers."""

import random

_VARIANTS = "89ab"


def new_guid() -> str:
    """A random GUID (RFC 9562, version 4) in lower case, not meant to be unguessable.

    What is secret (tokens, client secrets, signed URLs) is made elsewhere, so the system is not asked for randomness several
    times in each request.
    """
    # The module's own generator: it is seeded anew in a forked process.
    digits = f"{random.getrandbits(128):032x}"
    variant = _VARIANTS[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"

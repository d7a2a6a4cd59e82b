"""The software bill of materials of the image: `python -m dev.sbom` writes sbom.cdx.json, in CycloneDX 1.5.

It is uv's own export of the lock file for what the image installs: the operator and what it needs, with versions and
package URLs, without the local Azure and the tools of development.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PLACE: Final = ROOT / "sbom.cdx.json"


def sbom() -> str:
    """The document. Raises CalledProcessError where uv refuses, with its message on stderr."""
    uv = [sys.executable, str(ROOT / "dev/with_uv.py")]
    export = [
        "export",
        "--quiet",
        "--frozen",
        "--no-dev",
        "--format",
        "cyclonedx1.5",
        "--preview-features",
        "sbom-export",
    ]
    return subprocess.run([*uv, *export], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


def main() -> int:
    """Write it; returns the exit code."""
    try:
        PLACE.write_text(sbom(), encoding="utf-8")
    except subprocess.CalledProcessError as error:
        return error.returncode
    print(f"wrote {PLACE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The e-books follow the standard, as the checker of the W3C reads it."""
import shutil
import subprocess
from pathlib import Path

import pytest


PROGRAM = shutil.which("epubcheck")
# Debian's is a Java archive, which not every kernel starts by itself.
EPUBCHECK = (["java", "-jar", PROGRAM] if PROGRAM and
             Path(PROGRAM).read_bytes()[:2] == b"PK" else [PROGRAM])


@pytest.mark.skipif(not PROGRAM,
                    reason="epubcheck is not on the PATH: apt install epubcheck")
@pytest.mark.parametrize("lang", ["es", "en"])
def test_the_epub_is_valid(book, lang):
    path, = (book / lang).glob("*.epub")
    done = subprocess.run([*EPUBCHECK, "--failonwarnings", path],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr

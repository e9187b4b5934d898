"""The e-books follow the standard, as the checker of the W3C reads it."""
import shutil
import subprocess

import pytest


@pytest.mark.skipif(not shutil.which("epubcheck"),
                    reason="epubcheck is not on the PATH: apt install epubcheck")
@pytest.mark.parametrize("lang", ["es", "en"])
def test_the_epub_is_valid(book, lang):
    path, = (book / lang).glob("*.epub")
    done = subprocess.run(["epubcheck", "--failonwarnings", path],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr

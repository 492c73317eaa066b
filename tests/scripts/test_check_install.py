"""`make check-install` sees what it is there for."""

from __future__ import annotations

from scripts.check_install import outside_lock, warnings

LOCK = (
    "click==8.2.1 \\\n    --hash=sha256:00\n    # via x\n"
    "colorama==0.4.6 ; sys_platform == 'win32' \\\n    --hash=sha256:01\n"
)


def test_a_version_outside_the_lock_is_found() -> None:
    assert outside_lock("click==8.2.1\ncolorama==0.4.6\npip==22.0.2\n", LOCK) == []
    assert outside_lock("click==8.2.10\nrich==1.0\n", LOCK) == ["click==8.2.10", "rich==1.0"]


def test_a_warning_of_pip_or_uv_is_found() -> None:
    assert warnings("installing into .venv\nInstalled 91 packages in 1s\n") == []
    for line in ("warning: `x==1` is yanked", "WARNING: You are using pip version 22", "DEPRECATION: setup.py install"):
        assert warnings(f"installing into .venv\n{line}\n") == [line]
    assert warnings("WARNING: Location 'file:///a/' is ignored: it is neither a file nor a directory.\n") == []

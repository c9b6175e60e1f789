"""Writing files whole or not at all.

Everything is written under a temporary name in the same folder and then renamed, so that a full disk, Ctrl-C or
a crash never leaves a half-written result under its final name.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from designer.problems import InputError, Problem

RESULT_NAME = "result.json"


def write_text(path: Path, text: str) -> None:
    """Write a text file (UTF-8) whole or not at all.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_text(Path(folder, "a.txt"), "whole")
    ...     [(file.name, file.read_text()) for file in Path(folder).iterdir()]
    [('a.txt', 'whole')]
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def check_target(folder: Path, instance: str) -> None:
    """Refuse a run folder that cannot be written or must not be replaced; ask before solving, not after.

    Parameters
    ----------
    folder
        Where the run is to be stored.
    instance
        Name of the instance; an earlier run of the same instance may be replaced.

    Raises
    ------
    InputError
        When something else stands there or the place is not writable.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise _refused(folder, "something that is not a folder", "name a folder that does not exist yet")
    if folder.exists() and any(folder.iterdir()) and _owner(folder) != instance:
        raise _refused(
            folder,
            f"a folder that is no run of the instance {instance!r}",
            "name another folder; only a run of the same instance is replaced",
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # The folder is renamed into place, so its parent must be writable: try it.
        _temporary(folder).rmdir()
    except OSError as error:
        raise _refused(folder, error.strerror or "an unusable place", "name a folder that can be written") from None


def write_folder(folder: Path, files: Mapping[str, str]) -> None:
    """Write a folder of text files whole or not at all, replacing what is there.

    The caller has asked `check_target` whether that is allowed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     write_folder(Path(parent, "run"), {"a.txt": "1"})
    ...     write_folder(Path(parent, "run"), {"b.txt": "2"})
    ...     sorted(str(file.relative_to(parent)) for file in Path(parent).rglob("*"))
    ['run', 'run/b.txt']
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(folder)
    replaced: Path | None = None
    try:
        for name, text in files.items():
            write_text(temporary / name, text)
        if folder.exists():
            # A folder with content cannot be renamed over: move the old run aside first.
            replaced = temporary.with_suffix(".replaced")
            folder.rename(replaced)
        temporary.rename(folder)
    except BaseException:
        if replaced is not None and not folder.exists():
            with contextlib.suppress(OSError):
                replaced.rename(folder)
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if replaced is not None and folder.exists():
            shutil.rmtree(replaced, ignore_errors=True)


def _owner(folder: Path) -> str | None:
    """Name of the instance whose run a folder holds; any version of the schema will do."""
    try:
        name = json.loads((folder / RESULT_NAME).read_bytes())["instance"]["name"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return name if isinstance(name, str) else None


def _temporary(folder: Path) -> Path:
    # mkdir, not mkdtemp: the folder keeps its rights, and a user's umask decides them.
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    return temporary


def _refused(folder: Path, read: str, allowed: str) -> InputError:
    return InputError([Problem(str(folder), "", read, allowed)])

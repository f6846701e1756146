"""Named arrays in one file that processes map into their memory.

A file begins and ends with :data:`MAGIC`. Between are the arrays, each at a multiple of 64 bytes,
then a table of contents in JSON, then its length and checksum. Each array has a checksum of its
own (XXH3, https://xxhash.com); all are computed anew when the file is opened. Apache Arrow's IPC
format maps files too, but has no checksums, and NumPy's ``.npy`` holds one array.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import xxhash
from numpy.typing import DTypeLike, NDArray

FORMAT = 1
"""Of the files. A reader refuses any other."""
MAGIC = b"JOBSEARCH\0\0\0" + struct.pack("<I", FORMAT)
ALIGNED = 64
COPIED = 1 << 22
SPOOLED = 1 << 20
"""What an array holds in memory while it is written, before it goes to a file of its own."""

Array = NDArray[Any]
_TAIL = struct.Struct("<QQ16s")


class CorruptFileError(Exception):
    """The file is torn, changed, of another format or none of ours."""


class ArraysWriter:
    """Writes a file. Arrays may grow in turns; the file is there when the block ends, or not at
    all."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parts: dict[str, tuple[np.dtype[Any], tempfile.SpooledTemporaryFile[bytes]]] = {}

    def __enter__(self) -> Self:
        return self

    def append(self, name: str, values: Array | bytes, dtype: DTypeLike | None = None) -> None:
        """Add values to the end of an array, which has the type of the first ones or ``dtype``."""
        array = np.frombuffer(values, np.uint8) if isinstance(values, bytes) else values
        if name not in self._parts:
            spool = tempfile.SpooledTemporaryFile(  # noqa: SIM115 - closed in __exit__
                SPOOLED, dir=str(self._path.parent)
            )
            self._parts[name] = np.dtype(dtype or array.dtype), spool
        dtype, spool = self._parts[name]
        spool.write(np.ascontiguousarray(array, dtype).data)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                try:
                    self._write()
                except BaseException:
                    self._unfinished.unlink(missing_ok=True)
                    raise
        finally:
            for _, spool in self._parts.values():
                spool.close()

    @property
    def _unfinished(self) -> Path:
        return self._path.with_name(f"{self._path.name}.{os.getpid()}.unfinished")

    def _write(self) -> None:
        unfinished = self._unfinished
        contents: dict[str, Any] = {}
        with unfinished.open("wb") as file:
            file.write(MAGIC)
            for name, (dtype, spool) in self._parts.items():
                file.write(bytes(-file.tell() % ALIGNED))
                begin = file.tell()
                checksum = xxhash.xxh3_64()
                spool.seek(0)
                while part := spool.read(COPIED):
                    checksum.update(part)
                    file.write(part)
                spool.close()
                contents[name] = {
                    "dtype": dtype.str,
                    "begin": begin,
                    "bytes": file.tell() - begin,
                    "xxh3": checksum.hexdigest(),
                }
            table = json.dumps(contents).encode()
            file.write(table)
            file.write(_TAIL.pack(len(table), xxhash.xxh3_64_intdigest(table), MAGIC))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._path)


def write_arrays(path: Path, arrays: Mapping[str, Array | bytes]) -> None:
    """Write a file of these arrays."""
    with ArraysWriter(path) as writer:
        for name, values in arrays.items():
            writer.append(name, values)


def map_arrays(path: Path) -> dict[str, Array]:
    """The arrays of a file, read-only, in memory that all processes of the host share.

    Raises:
        FileNotFoundError: there is no such file.
        CorruptFileError: it cannot be trusted.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size < len(MAGIC) + _TAIL.size:
            raise CorruptFileError(f"{path.name} is too short")
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    length, checksum, magic = _TAIL.unpack_from(mapped, size - _TAIL.size)
    if mapped[: len(MAGIC)] != MAGIC or magic != MAGIC:
        raise CorruptFileError(f"{path.name} is of another format, or torn")
    begin = size - _TAIL.size - length
    table = mapped[max(begin, 0) : size - _TAIL.size]
    if begin < 0 or xxhash.xxh3_64_intdigest(table) != checksum:
        raise CorruptFileError(f"the contents of {path.name} are torn")
    arrays = {}
    whole = np.frombuffer(mapped, np.uint8)
    for name, part in json.loads(table).items():
        octets = whole[part["begin"] : part["begin"] + part["bytes"]]
        if xxhash.xxh3_64_hexdigest(octets.data) != part["xxh3"]:
            raise CorruptFileError(f"{name} in {path.name} is torn")
        arrays[name] = octets.view(part["dtype"])
    return arrays

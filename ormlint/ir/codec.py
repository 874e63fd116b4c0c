"""Modules as bytes: what the cache stores and what worker processes send back. Data only, never code."""

from __future__ import annotations

import hashlib
from functools import cache

import msgspec

from ormlint.ir import nodes as ir

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(ir.Module)


class CodecError(Exception):
    """Bytes that are no module in the present format."""


def encode(module: ir.Module) -> bytes:
    """Returns the module as bytes.

    Raises RecursionError on a module nested too deeply, which the readers do not produce.
    """
    return _encoder.encode(module)


def decode(data: bytes | memoryview) -> ir.Module:
    """Returns the module; the caller had better keep the garbage collector off while decoding many.

    Raises CodecError if the bytes are truncated, corrupted or of another format.
    """
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise CodecError(str(error)) from error


@cache
def format_fingerprint() -> str:
    """Returns a short hash of the node types and their fields; it changes whenever encoded modules do."""
    digest = hashlib.blake2b(digest_size=8)
    for name, kind in sorted(vars(ir).items()):
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            annotations = [str(kind.__annotations__.get(field, "")) for field in kind.__struct_fields__]
            digest.update(repr((name, kind.__struct_config__.tag, kind.__struct_fields__, annotations)).encode())
    return digest.hexdigest()

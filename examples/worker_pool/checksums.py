"""Checksums of many blocks; hashlib lets go of the interpreter lock, so threads help."""

import hashlib
from concurrent.futures import ThreadPoolExecutor


def checksum(block):
    """Return the SHA-256 of *block* in hexadecimal."""
    return hashlib.sha256(block).hexdigest()


def checksums_serial(blocks):
    """Hash one block after the other."""
    return [checksum(block) for block in blocks]


def checksums(blocks, workers=2):
    """Hash the blocks with *workers* threads."""
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(checksum, blocks))

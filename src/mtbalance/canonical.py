"""Canonical JSON, and its checksum: equal contents have equal texts, whatever the order of their keys."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def canonical_json(content: Mapping[str, Any]) -> str:
    """JSON with sorted keys and without spaces."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def checksum_of(content: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()

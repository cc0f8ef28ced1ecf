"""Columns of 400 rows, and a glance into what was made of them."""

from __future__ import annotations

import numpy as np

CHANCE = np.random.default_rng(7)
NOISE = CHANCE.normal(size=400)
YES_NO = ["yes" if value > 0 else "no" for value in NOISE + CHANCE.normal(size=400)]


def shards(into, manifest, split):
    folder = into / manifest.sha256
    return np.load(folder / f"{split}-x.npy"), np.load(folder / f"{split}-y.npy")


def finding(manifest, code):
    return [one["text"] for one in manifest.data["findings"] if one["code"] == code]


def left_out(manifest):
    return {one["name"]: one["why"] for one in manifest.data["left_out"]}


def types(manifest):
    return {one["name"]: one["type"] for one in manifest.data["columns"]}

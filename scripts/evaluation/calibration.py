"""Calibration of probabilities: the expected calibration error and its picture."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

BINS = 10
INK, GRID = "#374151", "#d1d5db"
COLOURS = ("#2563eb", "#d97706", "#059669", "#9333ea", "#dc2626")
SIDE, GAP, MARGIN = 220, 40, 36


def bins_of(confidence: np.ndarray) -> np.ndarray:
    """Equal-width bin of every confidence."""
    return np.minimum((confidence * BINS).astype(int), BINS - 1)


def calibration_error(confidence: np.ndarray, hit: np.ndarray) -> float:
    """Expected calibration error over ten equal-width bins (Guo et al. 2017, arXiv:1706.04599)."""
    bin_of = bins_of(confidence)
    gaps = [abs(hit[bin_of == b].mean() - confidence[bin_of == b].mean()) * (bin_of == b).mean() for b in set(bin_of)]
    return float(sum(gaps))


def curves(rows: Sequence[tuple[str, float, bool]]) -> dict[str, list[tuple[float, float, int]]]:
    """Per language, and for all together, mean confidence, accuracy and number of turns of every bin."""
    found = {}
    for name in ("all", *sorted({language for language, _, _ in rows})):
        mine = [(confidence, hit) for language, confidence, hit in rows if name in ("all", language)]
        confidence, hit = np.array([c for c, _ in mine]), np.array([h for _, h in mine], float)
        bin_of = bins_of(confidence)
        found[name] = [
            (float(confidence[bin_of == b].mean()), float(hit[bin_of == b].mean()), int((bin_of == b).sum()))
            for b in sorted(set(bin_of.tolist()))
        ]
    return found


def draw(path: Path, rows: Sequence[tuple[str, float, bool]]) -> None:
    """Write the curves as an SVG picture."""
    path.write_text(svg(curves(rows)), encoding="utf-8")


def svg(found: dict[str, list[tuple[float, float, int]]]) -> str:
    """One square a language: the diagonal is perfect; a point's area goes with its number of turns."""
    width = MARGIN + len(found) * (SIDE + GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {SIDE + 90}" font-family="sans-serif"'
        f' font-size="12" fill="{INK}"><rect width="100%" height="100%" fill="white"/>'
    ]
    for index, (name, points) in enumerate(found.items()):
        left, top, colour = MARGIN + index * (SIDE + GAP), 36, COLOURS[index % len(COLOURS)]
        total = sum(count for *_, count in points)
        error = sum(abs(confidence - accuracy) * count for confidence, accuracy, count in points) / total
        parts.append(f'<text x="{left}" y="22">{name} · n {total} · ECE {error:.3f}</text>')
        parts.append(f'<rect x="{left}" y="{top}" width="{SIDE}" height="{SIDE}" fill="none" stroke="{GRID}"/>')
        parts.append(
            f'<line x1="{left}" y1="{top + SIDE}" x2="{left + SIDE}" y2="{top}" stroke="{GRID}" stroke-dasharray="4"/>'
        )
        line = " ".join(f"{left + c * SIDE:.1f},{top + SIDE - a * SIDE:.1f}" for c, a, _ in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        for c, a, n in points:
            x, y, radius = left + c * SIDE, top + SIDE - a * SIDE, 2 + 8 * (n / total) ** 0.5
            title = f"{n} turns, confidence {c:.2f}, accuracy {a:.2f}"
            parts.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{colour}" fill-opacity=".5">'
                f"<title>{title}</title></circle>"
            )
        parts.append(f'<text x="{left}" y="{top + SIDE + 18}">0</text>')
        parts.append(f'<text x="{left + SIDE}" y="{top + SIDE + 18}" text-anchor="end">1</text>')
        parts.append(f'<text x="{left + SIDE / 2}" y="{top + SIDE + 18}" text-anchor="middle">confidence</text>')
    parts.append(
        f'<text transform="translate(18 {36 + SIDE / 2}) rotate(-90)" text-anchor="middle">accuracy</text></svg>'
    )
    return "\n".join(parts)

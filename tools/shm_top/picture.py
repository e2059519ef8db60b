#!/usr/bin/env python3
"""Turns a captured terminal screen into an SVG.

    tmux capture-pane -e -p | tools/shm_top/picture.py --title "shm-top" > docs/pictures/shm-top-running.svg

Reads text with SGR sequences (colours, bold, dim, underline, reverse), one screen line per line, and nothing else. The
same capture always gives the same bytes: no fonts are measured, no dates written; every run of characters is given its
place and its length on a fixed grid, so that any monospaced font lines up.
"""

import argparse
import html
import re
import sys

CELL_WIDTH, CELL_HEIGHT = 8.4, 18
MARGIN, BAR = 16, 34
FONT = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"
BACKGROUND, FOREGROUND, DIM, FRAME = "#11151c", "#c7cdd6", "#69727f", "#1b212b"
# The eight colours of a terminal, calm ones; red is the one that calls.
COLOURS = ["#11151c", "#ff5c57", "#8fbf7f", "#d9b45b", "#5b8ec9", "#b48ead", "#6fb3b8", "#c7cdd6"]
SGR = re.compile(r"\x1b\[([0-9;]*)m")
OTHER = re.compile(r"\x1b[^m]*?[A-Za-ln-z]|\x0f|\x0e")


class Style:
    def __init__(self):
        self.reset()

    def reset(self):
        self.foreground, self.bold, self.dim, self.underline, self.reverse = None, False, False, False, False

    def key(self):
        return self.foreground, self.bold, self.dim, self.underline, self.reverse

    def apply(self, text):
        codes = [int(code or 0) for code in text.split(";")]
        while codes:
            code = codes.pop(0)
            if code == 0:
                self.reset()
            elif code in (1, 2, 4, 7):
                setattr(self, {1: "bold", 2: "dim", 4: "underline", 7: "reverse"}[code], True)
            elif code == 22:
                self.bold = self.dim = False
            elif code in (24, 27):
                setattr(self, {24: "underline", 27: "reverse"}[code], False)
            elif 30 <= code <= 37 or 90 <= code <= 97:
                self.foreground = COLOURS[code % 10]
            elif code == 39:
                self.foreground = None
            elif code in (38, 48):
                self.extended(code, codes)

    def extended(self, code, codes):
        kind = codes.pop(0)
        values = [codes.pop(0) for _ in range(3 if kind == 2 else 1)]
        if code == 48:
            return
        if kind == 2:
            self.foreground = "#%02x%02x%02x" % tuple(values)
        elif values[0] < 16:
            self.foreground = COLOURS[values[0] % 8]
        else:  # greys and the cube: shm-top uses one grey
            self.foreground = DIM


def runs_of(line, style):
    """(column, text, style key) of each run of one style."""
    column, position = 0, 0
    line = OTHER.sub("", line)
    while position < len(line):
        match = SGR.match(line, position)
        if match:
            style.apply(match.group(1))
            position = match.end()
            continue
        end = line.find("\x1b", position)
        text = line[position:end if end >= 0 else len(line)]
        yield column, text, style.key()
        column += len(text)
        position += len(text)


def text_elements(column, row, text, key):
    foreground, bold, dim, underline, reverse = key
    colour = foreground or (DIM if dim else FOREGROUND)
    y = BAR + row * CELL_HEIGHT
    if reverse:
        yield (f'<rect x="{MARGIN + column * CELL_WIDTH:.1f}" y="{y + 1}" width="{len(text) * CELL_WIDTH:.1f}" '
               f'height="{CELL_HEIGHT - 2}" rx="2" fill="{colour}"/>')
        colour = BACKGROUND
    # Words apart: blanks are the grid's business, not the font's.
    for word in re.finditer(r"\S+(?: \S+)*", text):
        x = MARGIN + (column + word.start()) * CELL_WIDTH
        length = len(word.group()) * CELL_WIDTH
        weight = ' font-weight="600"' if bold else ""
        yield (f'<text x="{x:.1f}" y="{y + 13}" textLength="{length:.1f}" lengthAdjust="spacingAndGlyphs" '
               f'fill="{colour}"{weight}>{html.escape(word.group())}</text>')
        if underline:
            yield (f'<line x1="{x:.1f}" x2="{x + length:.1f}" y1="{y + 16}" y2="{y + 16}" stroke="{colour}"/>')


# Bars and rules are drawn, not written: a font's block characters leave seams.
BLOCKS = {character: (8 - i) / 8 for i, character in enumerate("█▉▊▋▌▍▎▏")}


def drawn(column, row, text, key):
    """Rectangles for block and rule characters, and the text with blanks in their place."""
    foreground, _, dim, _, reverse = key
    colour = foreground or (DIM if dim else FOREGROUND)
    shapes, rest = [], list(text)
    for match in re.finditer(r"[█▉▊▋▌▍▎▏]+·*|─+·*|··+|─+", "" if reverse else text):
        found, x, y = match.group(), MARGIN + (column + match.start()) * CELL_WIDTH, BAR + row * CELL_HEIGHT
        width = len(found) * CELL_WIDTH
        if found[0] in BLOCKS or found[-1] == "·":
            shapes.append(f'<rect x="{x:.1f}" y="{y + 4}" width="{width:.1f}" height="10" fill="{FOREGROUND}" '
                          'opacity="0.08"/>')
        if "─" in found:
            shapes.append(f'<rect x="{x:.1f}" y="{y + 8.5}" width="{found.count("─") * CELL_WIDTH:.1f}" height="1" '
                          f'fill="{colour}" opacity="0.6"/>')
        width = sum(BLOCKS.get(character, 0) for character in found) * CELL_WIDTH
        if width:
            shapes.append(f'<rect x="{x:.1f}" y="{y + 4}" width="{width:.1f}" height="10" fill="{colour}"/>')
        rest[match.start():match.end()] = " " * len(found)
    return shapes, "".join(rest)


def svg(lines, title):
    style = Style()
    parts, columns = [], 0
    for row, line in enumerate(lines):
        for column, text, key in runs_of(line, style):
            columns = max(columns, column + len(text.rstrip()))
            shapes, text = drawn(column, row, text, key)
            parts += shapes
            parts += text_elements(column, row, text, key)
    width, height = 2 * MARGIN + columns * CELL_WIDTH, BAR + len(lines) * CELL_HEIGHT + MARGIN
    dots = "".join(f'<circle cx="{MARGIN + 6 + 18 * i}" cy="15" r="5" fill="#39424f"/>' for i in range(3))
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{html.escape(title)}">',
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
        f'<path d="M0 28V8a8 8 0 0 1 8-8H{width - 8:.0f}a8 8 0 0 1 8 8v20z" fill="{FRAME}"/>', dots,
        f'<text x="{width / 2:.0f}" y="19" text-anchor="middle" font-family="sans-serif" font-size="12" '
        f'fill="{DIM}">{html.escape(title)}</text>',
        f'<g font-family="{FONT}" font-size="13.5" xml:space="preserve">', *parts, "</g>", "</svg>", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--title", default="shm-top")
    arguments = parser.parse_args()
    lines = sys.stdin.read().rstrip("\n").split("\n")
    while lines and not SGR.sub("", lines[-1]).strip():
        lines.pop()
    sys.stdout.write(svg(lines, arguments.title))


if __name__ == "__main__":
    main()

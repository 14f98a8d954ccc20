#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the page's style, script and icon as a C file: embed.py STYLE SCRIPT ICON >embedded.c

Comments and indentation stay here. A browser takes style and script only by the hashes in the
Content-Security-Policy, which are those of what is written.
"""

import base64
import hashlib
import re
import sys
from pathlib import Path


def squeeze(text):
    """Without the lines that are comments, and without what a line begins with."""
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not re.match(r"//|/\*.*\*/$", line))


def squeeze_style(text):
    """A style needs no line breaks, and blanks only inside values and selectors."""
    text = re.sub(r"\s*([{};,])\s*", r"\1", squeeze(text).replace("\n", " "))
    return re.sub(r"(?<=[a-z]): ", ":", text).replace(";}", "}")


def squeeze_script(text):
    """Nor does a script need blanks around operators. Its texts have none."""
    text = squeeze(text)
    for operator in "=", "==", "=>", "+", "+=", "&&", "||", "?", ":":
        text = text.replace(f" {operator} ", operator)
    for mark in "{", "}", "(", ")", ",":
        text = re.sub(rf" ?\{mark} ?", mark, text)
    return re.sub(r"(?<=\{)\n|\n(?=\})", "", text)


def literal(text):
    lines = text.splitlines(True) or [""]
    escape = lambda line: line.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return "\n".join(f'\t"{escape(line[i:i + 90])}"' for line in lines for i in range(0, len(line), 90))


def source(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


style = squeeze_style(Path(sys.argv[1]).read_text())
script = squeeze_script(Path(sys.argv[2]).read_text())
icon = Path(sys.argv[3]).read_bytes()
policy = (
    f"default-src 'none'; style-src {source(style)}; script-src {source(script)}; "
    "connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
print(f"""/* Made by embed.py. */
#include "embedded.h"

const char EMBEDDED_STYLE[] =
{literal(style)};
const char EMBEDDED_SCRIPT[] =
{literal(script)};
const char EMBEDDED_POLICY[] =
{literal(policy)};
const unsigned char EMBEDDED_ICON[] = {{
{",".join(map(str, icon))}
}};
const size_t EMBEDDED_ICON_SIZE = sizeof EMBEDDED_ICON;""")

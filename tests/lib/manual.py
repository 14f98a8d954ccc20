# SPDX-License-Identifier: MIT
"""What stands in a manual page, as mandoc understands it."""

import subprocess
from html.parser import HTMLParser

VALUE = "\1"  # stands for the name of an argument


class Manual(HTMLParser):
    """text: all of it. parts: a section, a kind and a text each, in order.

    The kinds: "head", which a list says something about, "literal" inside a sentence, and "block",
    which stands apart. In a head that is no literal text there is nothing to be found.
    """

    def __init__(self, path):
        super().__init__()
        self.text = self.section = ""
        self.parts = []
        self.open = []  # the elements around, with their classes
        self.kind = None  # of the part that is being read, which began this deep
        html = ["mandoc", "-T", "html", "-O", "fragment", path]
        self.feed(subprocess.run(html, check=True, stdout=subprocess.PIPE, text=True).stdout)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_starttag(self, tag, attributes):
        classes = (dict(attributes).get("class") or "").split()
        self.open.append((tag, classes))
        if self.kind is None:
            kinds = {"dt": "head", "code": "literal" if "Li" in classes else None}
            self.kind = "block" if "Bd" in classes else kinds.get(tag)
            self.depth, self.part, self.is_literal = len(self.open), "", False
        self.is_literal |= "Li" in classes

    def handle_data(self, data):
        tags = [tag for tag, _ in self.open]
        if "h1" in tags:
            self.section = data
        # Only a block's lines are lines.
        self.part += VALUE if "var" in tags else data if "pre" in tags else data.replace("\n", " ")
        self.text += data

    def handle_endtag(self, tag):
        if self.kind and len(self.open) == self.depth:
            if self.is_literal:
                lines = (" ".join(line.split()) for line in self.part.strip().split("\n"))
                self.parts.append((self.section, self.kind, "\n".join(lines)))
            self.kind = None
        self.open.pop()

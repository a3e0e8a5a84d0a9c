#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Relative links in README.md and docs/*.md lead to a file, and to a heading of it: links.py ROOT"""

import glob
import os
import re
import sys

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def read(path):
    """The text without what stands in code."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    text = re.sub(r"(?ms)^```.*?^```", "", text)
    return re.sub(r"`[^`\n]*`", lambda code: code.group().replace("](", "] ("), text)


def anchors(path):
    """As the usual readers of Markdown make them of the headings."""
    found = set()
    for heading in re.findall(r"(?m)^#+ +(.*?) *$", read(path)):
        plain = re.sub(r"[^\w\- ]", "", heading.lower())
        found.add(plain.replace(" ", "-"))
    return found


def broken(root, page):
    for target in LINK.findall(read(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
        if not os.path.exists(file):
            yield f"{os.path.relpath(page, root)}: {target}: there is no such file"
        elif anchor and file.endswith(".md") and anchor not in anchors(file):
            yield f"{os.path.relpath(page, root)}: {target}: there is no such heading"


def main():
    root = os.path.abspath(sys.argv[1])
    pages = [os.path.join(root, "README.md"), *sorted(glob.glob(os.path.join(root, "docs", "*.md")))]
    trouble = [text for page in pages for text in broken(root, page)]
    print("\n".join(trouble))
    if len(pages) < 5:
        sys.exit("the pages are not where they were")
    sys.exit(1 if trouble else 0)


if __name__ == "__main__":
    main()

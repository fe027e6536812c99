#!/usr/bin/env python3
"""Strips outputs, execution counts and volatile metadata from notebooks; --check only reports. No dependencies."""
import json
import pathlib
import sys


def cleaned(text):
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        cell["metadata"] = {}
        if cell["cell_type"] == "code":
            cell["outputs"] = []
            cell["execution_count"] = None
    notebook["metadata"] = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def main(arguments):
    check = "--check" in arguments
    dirty = []
    for name in (a for a in arguments if a != "--check"):
        path = pathlib.Path(name)
        if not path.exists():
            continue
        text = path.read_text(encoding="utf-8")
        if text != cleaned(text):
            dirty.append(name)
            if not check:
                path.write_text(cleaned(text), encoding="utf-8")
    if check and dirty:
        print("not clean (run tools/nbclean.py FILE): " + ", ".join(dirty), file=sys.stderr)
    return 1 if check and dirty else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

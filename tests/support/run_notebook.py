"""Runs the code cells of a notebook in order, as Jupyter would: in the notebook's directory, with the value of a last
expression shown.

usage: run_notebook.py NOTEBOOK [--without MODULE]...
"""

import argparse
import ast
import json
import os
import re
import sys
import traceback


def check(notebook):
    """What nbformat 4.5 asks of a notebook (https://nbformat.readthedocs.io, "The notebook file format"), and that no
    output is kept."""
    assert notebook["nbformat"] == 4 and notebook["nbformat_minor"] >= 5, "is not in nbformat 4.5"
    assert isinstance(notebook["metadata"], dict), "has no metadata"
    assert set(notebook) == {"cells", "metadata", "nbformat", "nbformat_minor"}, "has other keys than a notebook"
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids), "has two cells of one id"
    for cell in notebook["cells"]:
        keys = {"cell_type", "id", "metadata", "source"}
        if cell["cell_type"] == "code":
            keys |= {"execution_count", "outputs"}
            assert cell["outputs"] == [] and cell["execution_count"] is None, f"cell {cell['id']} holds an output"
        else:
            assert cell["cell_type"] == "markdown", f"cell {cell['id']} is a {cell['cell_type']}"
        assert set(cell) == keys, f"cell {cell['id']} has not the keys of its type"
        assert re.fullmatch("[a-zA-Z0-9-_]{1,64}", cell["id"]), f"cell {cell['id']} has no proper id"
        assert all(isinstance(line, str) for line in cell["source"]), f"cell {cell['id']} has no lines of text"
        assert all(line.endswith("\n") for line in cell["source"][:-1]), f"cell {cell['id']} has lines run together"


def run_cell(source, name, names):
    tree = ast.parse(source, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), names)
    if last is not None:
        value = eval(compile(ast.Expression(last.value), name, "eval"), names)
        if value is not None:
            print(value)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("notebook")
    parser.add_argument("--without", metavar="MODULE", action="append", default=[], help="as if it were not installed")
    arguments = parser.parse_args()
    with open(arguments.notebook, encoding="utf-8") as file:
        notebook = json.load(file)
    check(notebook)
    for module in arguments.without:
        sys.modules[module] = None
    os.environ.setdefault("MPLBACKEND", "Agg")
    os.chdir(os.path.dirname(os.path.abspath(arguments.notebook)))
    names = {"__name__": "__main__"}
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for cell in cells:
        print(f"# {cell['id']}")
        try:
            run_cell("".join(cell["source"]), cell["id"], names)
        except Exception:
            traceback.print_exc()
            sys.exit(f"{arguments.notebook}: cell {cell['id']} failed")
    print(f"{len(cells)} cells ran")


if __name__ == "__main__":
    main()

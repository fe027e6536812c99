#!/usr/bin/env python3
"""Executes a notebook in a working directory without changing it; a failing cell fails the command.

usage: run_notebook.py NOTEBOOK.ipynb WORKDIR [--save EXECUTED.ipynb]
"""
import argparse
import os
import pathlib
import sys


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebook", type=pathlib.Path)
    parser.add_argument("workdir", type=pathlib.Path)
    parser.add_argument("--save", type=pathlib.Path)
    arguments = parser.parse_args()
    try:
        import nbclient
        import nbformat
    except ImportError as missing:
        print(f"SKIPPED: {missing}; install python3-nbclient and python3-nbformat")
        return 77
    reader = pathlib.Path(__file__).resolve().parent.parent / "python" / "src"
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(reader), os.environ.get("PYTHONPATH")]))
    os.environ.setdefault("MPLBACKEND", "Agg")
    notebook = nbformat.read(arguments.notebook, as_version=4)
    # The kernel runs under this very interpreter, whatever kernels are registered on the machine.
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

    class ThisPython(KernelSpecManager):
        def get_kernel_spec(self, name):
            return KernelSpec(argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
                              display_name=name, language="python")

    from jupyter_client.manager import AsyncKernelManager

    manager = AsyncKernelManager(kernel_spec_manager=ThisPython())
    client = nbclient.NotebookClient(notebook, timeout=300, km=manager,
                                     resources={"metadata": {"path": str(arguments.workdir)}})
    try:
        client.execute()
    except nbclient.exceptions.CellExecutionError as failure:
        print(failure, file=sys.stderr)
        return 1
    finally:
        if arguments.save:
            nbformat.write(notebook, arguments.save)
    print(f"executed {arguments.notebook.name}: {sum(c.cell_type == 'code' for c in notebook.cells)} code cells")
    return 0


if __name__ == "__main__":
    sys.exit(main())

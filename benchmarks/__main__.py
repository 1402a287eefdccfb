"""Run all benchmarks, or the one named: python -m benchmarks [NAME]."""

import ast
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
SUPPORT = {"__init__", "__main__", "measure", "console_load", "page_latency"}


def main(arguments: list[str]) -> int:
    """Run the named benchmarks, each in a process of its own; 2 for a name that is not there."""
    available = {path.stem: path for path in sorted(FOLDER.glob("*.py")) if path.stem not in SUPPORT}
    unknown = [name for name in arguments if name not in available]
    if unknown:
        print(f"No benchmark {', '.join(unknown)}. There are:")
        for name, path in available.items():
            print(f"  {name:20} {(ast.get_docstring(ast.parse(path.read_text())) or '').splitlines()[0]}")
        return 2
    runs = [
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False)
        for name in arguments or available
    ]
    return max(run.returncode for run in runs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

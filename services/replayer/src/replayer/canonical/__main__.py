"""`python -m replayer.canonical --days 90 --seed 42 --out DIR`: write a canonical dataset and say what is in it."""

import argparse
from pathlib import Path

import orjson

from replayer.canonical.write import Recipe, write_dataset


def main() -> None:
    """Write the dataset that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m replayer.canonical", description=__doc__)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--out", type=Path, required=True)
    wanted = parser.parse_args()
    manifest = write_dataset(Recipe(wanted.days, wanted.seed), wanted.out)
    print(orjson.dumps(manifest, option=orjson.OPT_INDENT_2).decode())  # noqa: T201  the command's answer


if __name__ == "__main__":
    main()

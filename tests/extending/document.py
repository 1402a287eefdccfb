"""The fenced blocks of a document, put into a checkout to the letter."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"^```(?P<language>\w+)(?: (?P<file>\S+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A block with a language: commands (`sh`), a change (`diff`), or lines for a file."""

    language: str
    file: str
    text: str

    def apply(self, checkout: Path) -> None:
        """Do what a reader would do."""
        if self.language == "sh":
            subprocess.run(["sh", "-e", "-c", self.text], cwd=checkout, check=True)
            return
        path = checkout / self.file
        before = path.read_text() if path.exists() else ""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._changed(before) if self.language == "diff" else self._appended(before))

    def _appended(self, before: str) -> str:
        """At the file's end; what is added to Python stands two lines apart, as its formatter wants."""
        apart = "\n\n" if before and self.language == "python" else ""
        return before + apart + self.text

    def _changed(self, before: str) -> str:
        lines = self.text.splitlines(keepends=True)
        found = "".join(line[1:] for line in lines if not line.startswith("+"))
        wanted = "".join(line[1:] for line in lines if not line.startswith("-"))
        assert before.count(found) == 1, (
            f"{self.file} holds these lines {before.count(found)} times:\n{found}"
        )
        return before.replace(found, wanted)


def blocks(document: Path) -> list[Block]:
    """Every block that names its language, in order."""
    return [
        Block(found["language"], found["file"] or "", found["text"])
        for found in BLOCK.finditer(document.read_text())
    ]

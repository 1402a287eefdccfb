"""What the consoles of reviewers share: claims, keyset paging, evidence, agreement, export, and their templates."""

from pathlib import Path

#: Templates of this room; an app's `Look` names them as shared.
TEMPLATES = Path(__file__).parent / "templates"

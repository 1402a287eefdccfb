"""The worker `canonical_data`: sees to it that our own dataset, for the ordered days and seed, is complete in the volume.

The dataset is generated in a process of its own (its memory goes when it is done) into a cache on this machine, then
uploaded; `manifest.json` comes last, so a folder with a manifest is a complete dataset and leaves nothing to do.
"""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import orjson
from caspers.errors import Invalid, Unavailable
from caspers.settings import Days
from caspers.worker.step import StepContext, StepOutcome
from pydantic import BaseModel, ValidationError

from replayer.canonical.write import MANIFEST, Recipe
from replayer.watermark import Files

#: Seconds between looks at the generator while it works.
LOOK_S = 0.1
#: Seconds after which a generator is believed to hang; 90 days take a few.
PATIENCE_S = 900.0


class CanonicalOrders(BaseModel):
    """The parameters of worker `canonical_data`."""

    days: Days
    seed: int


class Volume(Files, Protocol):
    """Where datasets go; `caspers.clients.volume.Volume` is one."""

    def path(self, name: str) -> str:
        """The absolute path of a name."""
        ...


class CanonicalData:
    """Datasets below `volume` (a folder of a volume), generated in `cache` first."""

    def __init__(self, volume: Volume, cache: Path) -> None:
        self._volume = volume
        self._cache = cache

    def step(self, parameters: Mapping[str, Any], context: StepContext) -> StepOutcome:
        """Generate and upload what is missing. Raises `Invalid` for other parameters, `Unavailable` to try again."""
        recipe = _recipe(parameters)
        manifest = self._volume.read_if_there(f"{recipe.key}/{MANIFEST}")
        if manifest is None:
            context.tell(self._progress(recipe, "generating"))
            folder = self._generated(recipe, context)
            if folder is None:
                return StepOutcome(self._progress(recipe, "interrupted"), again=True)
            context.tell(self._progress(recipe, "uploading"))
            manifest = self._upload(folder, recipe)
        return StepOutcome(self._progress(recipe, "complete") | _figures(orjson.loads(manifest)))

    def _generated(self, recipe: Recipe, context: StepContext) -> Path | None:
        """The folder of the dataset in the cache; None if the step was interrupted."""
        folder = self._cache / recipe.key
        if (folder / MANIFEST).exists():
            return folder
        unfinished = self._cache / f".{recipe.key}.part"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._cache.mkdir(parents=True, exist_ok=True)
        if not _generate(recipe, unfinished, context):
            return None
        shutil.rmtree(folder, ignore_errors=True)
        return unfinished.rename(folder)

    def _upload(self, folder: Path, recipe: Recipe) -> bytes:
        for path in sorted(folder.glob("*.parquet")):
            self._volume.write(f"{recipe.key}/{path.name}", path.read_bytes())
        manifest = (folder / MANIFEST).read_bytes()
        self._volume.write(f"{recipe.key}/{MANIFEST}", manifest)
        return manifest

    def _progress(self, recipe: Recipe, state: str) -> dict[str, Any]:
        path = self._volume.path(recipe.key)
        return {"state": state, "key": recipe.key, "path": path, "days": recipe.days, "seed": recipe.seed}


def _recipe(parameters: Mapping[str, Any]) -> Recipe:
    try:
        orders = CanonicalOrders.model_validate(dict(parameters))
    except ValidationError as error:
        faults = "; ".join(f"{fault['loc'][0]}: {fault['msg']}" for fault in error.errors())
        raise Invalid(f"the orders make no dataset: {faults}", what_now="Correct DAYS and SEED.") from error
    return Recipe(orders.days, orders.seed)


def _generate(recipe: Recipe, folder: Path, context: StepContext) -> bool:
    """Run the generator; False if it was interrupted."""
    command = [sys.executable, "-m", "replayer.canonical", "--out", str(folder)]
    command += ["--days", str(recipe.days), "--seed", str(recipe.seed)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as generator:
        patience = PATIENCE_S
        while generator.poll() is None:
            patience -= LOOK_S
            if context.wait(LOOK_S) or patience <= 0:
                generator.kill()
                return False
        said = generator.stderr.read().strip() if generator.stderr else ""
    if generator.returncode:
        raise Unavailable(
            f"the generator of the canonical dataset failed: {said.rpartition(chr(10))[2] or generator.returncode}",
            what_now="It is tried again; look at free disk space and memory.",
        )
    return True


def _figures(manifest: dict[str, Any]) -> dict[str, Any]:
    return {"events": manifest["rows"]["events"], "orders": manifest["orders"]}

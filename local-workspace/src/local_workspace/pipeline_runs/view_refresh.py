"""Refreshing a materialized view: only the groups that new rows belong to, where the query allows it.

The keys of the new rows name the touched groups; these are computed again from the source, read only as far as its
files can hold them, and take the place of the old ones in the few files of the view that can hold those. Rows out and
rows in are one commit. Everything else is a full refresh, and says why.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql.connect.dataframe import DataFrame
from pyspark.sql.connect.proto import Relation

from local_workspace.pipeline_runs.affected import Touched, affected
from local_workspace.pipeline_runs.data_files import write_sorted
from local_workspace.pipeline_runs.definitions import failure_of
from local_workspace.pipeline_runs.delta_table import Commit, DataFile, PipelineTable, RowsRewritten, values
from local_workspace.pipeline_runs.graph import DatasetPlan
from local_workspace.pipeline_runs.plans import KEY, Grouping, keys_of, only_groups, without_groups
from local_workspace.pipeline_runs.slices import cut
from local_workspace.pipeline_runs.stream_flow import Written
from local_workspace.pipeline_runs.surroundings import Inputs, Surroundings

FEW_ROWS = 2_000
"""Files with fewer rows are written anew together with a touched one, so that they do not pile up."""

MOSTLY_NEW = 0.5
"""From this share of new rows on, computing everything is the shorter way."""


@dataclass(frozen=True)
class _New:
    """The new rows of the source, and what a refresh over them needs."""

    source: PipelineTable
    files: list[DataFile]
    grouping: Grouping


class ViewRefresh:
    """One materialized view.

    Args:
        app: the flow's app transaction id; it names the query, so that a changed query begins anew.
        sources: the tables the query reads, by full name.
    """

    def __init__(
        self,
        plan: DatasetPlan,
        app: str,
        target: PipelineTable,
        sources: dict[str, PipelineTable],
        around: Surroundings,
    ) -> None:
        self._plan = plan
        self._flow = plan.flows[0]
        self._app = app
        self._progress_key = f"{app}@{target.location.name}"
        self._target = target
        self._sources = sources
        self._around = around

    def reset(self) -> Commit:
        """The commit that empties the view and lets the next refresh begin anew."""
        self._around.progress.forget(self._progress_key)
        return Commit(self._app, -1, self._around.milliseconds(), removed=tuple(self._target.files()))

    def run(self) -> Written | None:
        """Bring the view up to date; None when it is."""
        position = sum(table.version for table in self._sources.values())
        done = self._position()
        if done == position and self._sources:
            return None
        new = self._new_rows(done)
        if isinstance(new, str):
            return self._all(position, new)
        if not new.files:
            self._around.progress.pass_over(self._progress_key, position)
            return None
        return self._touched(new, position)

    def _position(self) -> int:
        known = (self._target.position(self._app), self._around.progress.position(self._progress_key), -1)
        return max(position for position in known if position is not None)

    def _new_rows(self, done: int) -> _New | str:
        """The source's new rows, or why everything has to be computed."""
        if done < 0:
            return "it is the first"
        if not isinstance(self._flow.refresh, Grouping):
            return self._flow.refresh.reason
        source = next(iter(self._sources.values()))
        try:
            new = source.added_since(done)
        except RowsRewritten as error:
            return str(error)
        if sum(file.rows for file in new) > MOSTLY_NEW * source.rows():
            return "most of the source is new"
        return _New(source, new, self._flow.refresh)

    def _all(self, position: int, reason: str) -> Written:
        rows = self._query(self._whole).toArrow()
        self._replace(self._target.files(), rows, position)
        return Written(rows.num_rows, how=f"full, because {reason}")

    def _touched(self, new: _New, position: int) -> Written:
        session = self._around.session
        keys = session.frame(
            keys_of(self._query_message(lambda _: self._part(new.source, new.files)))
        ).toArrow()
        listed = self._listed(keys)
        touched = [set(values(column)) for column in keys.columns]
        read = affected(new.source.files(), _in_source(new.grouping, touched))
        query = self._query_message(lambda _: self._part(new.source, read))
        rows = session.frame(only_groups(query, listed))
        columns = [key.output for key in new.grouping.keys]
        in_view = [Touched(name, None, found) for name, found in zip(columns, touched, strict=True)]
        replaced = affected(self._target.files(), in_view)
        replaced += [file for file in self._target.files() if file.rows < FEW_ROWS and file not in replaced]
        if replaced:
            old = session.relation(self._part(self._target, replaced))
            rows = session.frame(without_groups(old, columns, listed)).unionByName(rows)
        self._replace(replaced, rows.toArrow(), position)
        return Written(keys.num_rows, how=f"{keys.num_rows} touched groups")

    def _replace(self, old: list[DataFile], rows: pa.Table, position: int) -> None:
        schema = self._plan.arrow_schema
        directory = self._around.data_directory(self._target, position)
        files = write_sorted(
            rows.select(schema.names).cast(schema), self._order(), directory, self._target.location
        )
        note = {"flow": self._flow.definition.name, "numOutputRows": str(rows.num_rows)}
        self._target.commit(
            Commit(self._app, position, self._around.milliseconds(), tuple(files), tuple(old), note)
        )

    def _order(self) -> list[str]:
        """The columns rows are kept together by: as the source says, else the groups' dates and times."""
        said = [*self._plan.dataset.partitioned_by, *self._plan.dataset.clustered_by]
        if said or not isinstance(self._flow.refresh, Grouping):
            return said
        outputs = [key.output for key in self._flow.refresh.keys]
        return [
            name for name in outputs if pa.types.is_temporal(self._plan.arrow_schema.field(name).type)
        ] or outputs

    def _query(self, table: Callable[[str], DataFrame]) -> DataFrame:
        with self._around.session.reading(Inputs(self._around, table=table)):
            try:
                return self._flow.definition.function()
            except Exception as error:
                raise failure_of(self._flow.definition, error) from error

    def _query_message(self, table: Callable[[str], DataFrame]) -> Relation:
        return self._around.session.relation(self._query(table))

    def _whole(self, name: str) -> DataFrame:
        table = self._sources[name]
        return self._around.session.delta(str(table.location), table.version)

    def _part(self, table: PipelineTable, files: list[DataFile]) -> DataFrame:
        return self._around.session.delta(str(cut(table, files, self._around.scratch("slice"))))

    def _listed(self, keys: pa.Table) -> Relation:
        path = self._around.scratch("keys")
        path.parent.mkdir(parents=True, exist_ok=True)
        names = [KEY.format(number) for number in range(keys.num_columns)]
        pq.write_table(keys.rename_columns(names), path.with_suffix(".parquet"))
        return self._around.session.relation(self._around.session.parquet(str(path.with_suffix(".parquet"))))


def _in_source(grouping: Grouping, values: list[set[object]]) -> list[Touched]:
    return [
        Touched(key.source, key.unit, touched)
        for key, touched in zip(grouping.keys, values, strict=True)
        if key.source is not None
    ]

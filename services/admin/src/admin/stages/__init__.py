"""The stages of the demo, what each needs on the platform, and the targets that name sets of them. Pure.

A stage is only a declaration: the engine knows how to bring it about, repair it and take it away again.
"""

from dataclasses import replace

from admin.declarations import REGISTRY_KEY, Resource, Stage
from admin.stages import targets
from admin.stages.canonical_data import canonical_data
from admin.stages.complaints import (
    complaint_agent,
    complaint_agent_stream,
    complaint_console,
    complaint_generator_stream,
    complaint_lakebase,
)
from admin.stages.demo import Demo
from admin.stages.foundation import foundation
from admin.stages.medallion import medallion
from admin.stages.refunds import refund_agent, refund_manager, refund_stream, reverse_etl

__all__ = ["Demo", "all_stages"]


def all_stages(demo: Demo) -> list[Stage]:
    """Every stage, in an order that respects their needs."""
    return [
        Stage(targets.FOUNDATION, "Catalog and registry", (), foundation(demo)),
        _stage(targets.CANONICAL_DATA, "Canonical data", canonical_data(demo), targets.FOUNDATION),
        _stage(targets.PIPELINE, "Medallion pipeline", medallion(demo), targets.CANONICAL_DATA),
        _stage(targets.REFUND_AGENT, "Refund agent", refund_agent(demo), targets.PIPELINE),
        _stage(targets.REFUND_STREAM, "Recommended refunds", refund_stream(demo), targets.PIPELINE),
        _stage(targets.REVERSE_ETL, "Refunds in Lakebase", reverse_etl(demo), targets.REFUND_STREAM),
        # The app runs the agent, so it also needs the agent's functions, its model and the table of its runs.
        _stage(
            targets.REFUND_MANAGER,
            "Refund manager",
            refund_manager(demo),
            targets.REVERSE_ETL,
            targets.REFUND_AGENT,
        ),
        *_complaint_line(demo),
    ]


def _complaint_line(demo: Demo) -> list[Stage]:
    return [
        _stage(targets.COMPLAINT_AGENT, "Complaint agent", complaint_agent(demo), targets.PIPELINE),
        _stage(
            targets.COMPLAINT_GENERATOR_STREAM,
            "Complaints",
            complaint_generator_stream(demo),
            targets.PIPELINE,
        ),
        _stage(
            targets.COMPLAINT_AGENT_STREAM,
            "Triaged complaints",
            complaint_agent_stream(demo),
            targets.COMPLAINT_GENERATOR_STREAM,
            targets.COMPLAINT_AGENT,
        ),
        _stage(
            targets.COMPLAINT_LAKEBASE,
            "Complaints in Lakebase",
            complaint_lakebase(demo),
            targets.COMPLAINT_AGENT_STREAM,
        ),
        _stage(
            targets.COMPLAINT_CONSOLE,
            "Complaint console",
            complaint_console(demo),
            targets.COMPLAINT_LAKEBASE,
        ),
    ]


def _stage(name: str, title: str, resources: tuple[Resource, ...], *needs: str) -> Stage:
    """A stage after the foundation: nothing of it is made before the registry can take note of it."""
    return Stage(
        name,
        title,
        needs,
        tuple(replace(each, needs=(*each.needs, REGISTRY_KEY)) for each in resources),
    )

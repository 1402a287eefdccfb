"""The calls about what runs: identity, permissions, workspace files, apps, pipelines, jobs, serving endpoints."""

from local_workspace.coverage.calls import Call, Family, like, own, partly, refused

APPS = "/api/2.0/apps"
PERMISSIONS = "/api/2.0/permissions/{object_type}/{object_id}"
OLDER_PERMISSIONS = "/api/2.0/permissions/sql/{object_type}/{object_id}"
PIPELINES = "/api/2.0/pipelines"
SERVING = "/api/2.0/serving-endpoints"
FILES = "/api/2.0/workspace"
OWNERS_STAY = "Owners do not change, and the only groups are users and admins."
KEPT = "Sizes, scopes and budget policies are kept and have no effect."


def _jobs(version: str) -> tuple[Call, ...]:
    prefix = f"/api/{version}/jobs"
    sdk = "jobs." if version == "2.2" else ""
    settings = "Tasks that run pipelines only; schedules, but no other triggers, parameters or retries."

    def name(method: str) -> str:
        return sdk and sdk + method

    return (
        partly("POST", f"{prefix}/create", name("create"), settings),
        like("GET", f"{prefix}/get", name("get")),
        like("GET", f"{prefix}/list", name("list")),
        partly("POST", f"{prefix}/update", name("update"), settings),
        partly("POST", f"{prefix}/reset", name("reset"), settings),
        like("POST", f"{prefix}/delete", name("delete")),
        partly(
            "POST",
            f"{prefix}/run-now",
            name("run_now"),
            "Without parameters; idempotency tokens have no effect.",
        ),
        partly("GET", f"{prefix}/runs/get", name("get_run"), "No repair history, no clusters."),
        partly(
            "GET",
            f"{prefix}/runs/list",
            name("list_runs"),
            "Filters by start time have no effect; the last 1,000 runs of a job.",
        ),
        like("POST", f"{prefix}/runs/cancel", name("cancel_run")),
        like("POST", f"{prefix}/runs/cancel-all", name("cancel_all_runs")),
    )


WORK = (
    Family(
        "Identity",
        (
            like("GET", "/.well-known/databricks-config"),
            like("GET", "/oidc/.well-known/oauth-authorization-server"),
            like("GET", "/oidc/.well-known/openid-configuration"),
            partly("POST", "/oidc/v1/token", "", "Client credentials only; people do not log in here."),
            like("GET", "/api/2.0/preview/scim/v2/Me", "current_user.me"),
            partly(
                "POST", "/api/2.0/token/create", "tokens.create", "Comments and lifetimes have no effect."
            ),
            refused("GET", "/api/2.0/preview/scim/v2/Users", "", "There is one person, the local user."),
            refused("GET", "/api/2.0/secrets/scopes/list", "secrets.list_scopes", "There are no secrets."),
        ),
    ),
    Family(
        "Permissions of objects",
        (
            like("GET", PERMISSIONS, "permissions.get"),
            partly("PATCH", PERMISSIONS, "permissions.update", OWNERS_STAY),
            partly("PUT", PERMISSIONS, "permissions.set", OWNERS_STAY),
            like("GET", f"{PERMISSIONS}/permissionLevels", "permissions.get_permission_levels"),
            like("GET", OLDER_PERMISSIONS),
            partly("PATCH", OLDER_PERMISSIONS, "", OWNERS_STAY),
            partly("PUT", OLDER_PERMISSIONS, "", OWNERS_STAY),
            like("GET", f"{OLDER_PERMISSIONS}/permissionLevels"),
        ),
    ),
    Family(
        "Workspace files",
        (
            like("POST", f"{FILES}/mkdirs", "workspace.mkdirs"),
            partly("POST", f"{FILES}/import", "workspace.upload", "Files and notebooks; no DBC archives."),
            partly(
                "GET",
                f"{FILES}/export",
                "workspace.download",
                "Single objects, as they are; no DBC, no HTML.",
            ),
            like("GET", f"{FILES}/get-status", "workspace.get_status"),
            like("GET", f"{FILES}/list", "workspace.list"),
            like("POST", f"{FILES}/delete", "workspace.delete"),
        ),
    ),
    Family(
        "Apps",
        (
            partly("POST", APPS, "apps.create", f"{KEPT} Compute is active at once, without STARTING."),
            like("GET", APPS, "apps.list"),
            like("GET", f"{APPS}/{{name}}", "apps.get"),
            like("DELETE", f"{APPS}/{{name}}", "apps.delete"),
            partly(
                "POST", f"{APPS}/{{name}}/start", "apps.start", "Compute is active at once, without STARTING."
            ),
            partly(
                "POST",
                f"{APPS}/{{name}}/stop",
                "apps.stop",
                "Answers when the process has ended, without STOPPING.",
            ),
            partly("PATCH", f"{APPS}/{{name}}", "apps.update", KEPT),
            partly(
                "POST",
                f"{APPS}/{{name}}/update",
                "apps.create_update",
                f"{KEPT} It is done when it is answered.",
            ),
            partly(
                "GET", f"{APPS}/{{name}}/update", "apps.get_update", "Always the last one, which is done."
            ),
            partly(
                "POST",
                f"{APPS}/{{name}}/deployments",
                "apps.deploy",
                "From workspace files only; requirements.txt is not installed, the workspace's own Python runs the app.",
            ),
            partly(
                "GET", f"{APPS}/{{name}}/deployments", "apps.list_deployments", "The last five deployments."
            ),
            like("GET", f"{APPS}/{{name}}/deployments/{{deployment_id}}", "apps.get_deployment"),
            own("GET", f"{APPS}/{{name}}/logs", "The last lines of an app's log as text."),
        ),
    ),
    Family(
        "Pipelines",
        (
            partly(
                "POST",
                PIPELINES,
                "pipelines.create",
                "Python and SQL sources by glob or file; no ingestion, no triggers, no clusters.",
            ),
            partly("GET", PIPELINES, "pipelines.list_pipelines", "The filter is name LIKE '…' only."),
            like("GET", f"{PIPELINES}/{{pipeline_id}}", "pipelines.get"),
            like("PUT", f"{PIPELINES}/{{pipeline_id}}", "pipelines.update"),
            like("DELETE", f"{PIPELINES}/{{pipeline_id}}", "pipelines.delete"),
            partly(
                "POST",
                f"{PIPELINES}/{{pipeline_id}}/updates",
                "pipelines.start_update",
                "No parameters, no rewinding, no choice of checkpoints.",
            ),
            like("GET", f"{PIPELINES}/{{pipeline_id}}/updates", "pipelines.list_updates"),
            like("GET", f"{PIPELINES}/{{pipeline_id}}/updates/{{update_id}}", "pipelines.get_update"),
            like("POST", f"{PIPELINES}/{{pipeline_id}}/stop", "pipelines.stop"),
            partly(
                "GET",
                f"{PIPELINES}/{{pipeline_id}}/events",
                "pipelines.list_pipeline_events",
                "Filters by level and timestamp only; fewer kinds of events.",
            ),
        ),
    ),
    Family("Jobs", _jobs("2.2")),
    Family("Jobs, as older clients call them", _jobs("2.1")),
    Family(
        "Serving endpoints",
        (
            partly(
                "POST",
                SERVING,
                "serving_endpoints.create",
                "One external model for chat; no models of one's own, no traffic split, no gateway.",
            ),
            like("GET", SERVING, "serving_endpoints.list"),
            like("GET", f"{SERVING}/{{name}}", "serving_endpoints.get"),
            partly(
                "PUT",
                f"{SERVING}/{{name}}/config",
                "serving_endpoints.update_config",
                "One external model for chat.",
            ),
            like("DELETE", f"{SERVING}/{{name}}", "serving_endpoints.delete"),
            partly(
                "POST",
                "/serving-endpoints/{name}/invocations",
                "serving_endpoints.query",
                "Chats only, not streamed; the workspace's own endpoint follows rules and is no language model.",
            ),
        ),
    ),
    Family(
        "What is not here",
        (
            refused(
                "GET",
                "/api/2.1/clusters/list",
                "clusters.list",
                "Pipelines and warehouses run on one engine.",
            ),
            refused("GET", "/api/2.0/lakeview/dashboards", "lakeview.list", "There are no dashboards."),
            refused("GET", "/api/2.0/genie/spaces", "genie.list_spaces", "There is no Genie."),
            refused("GET", "/api/2.0/mlflow/experiments/search", "", "There is no MLflow."),
        ),
    ),
)

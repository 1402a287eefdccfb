"""The calls about data: Unity Catalog, files, SQL, Lakebase."""

from local_workspace.coverage.calls import Family, like, own, partly, refused

UC = "/api/2.1/unity-catalog"
FILES = "/api/2.0/fs"
SQL = "/api/2.0/sql"
POSTGRES = "/api/2.0/postgres"
NO_OTHER_STORAGE = "Storage is the workspace's own: no storage roots, connections, providers or shares."
NO_RENAME = "New names are refused."
AT_ONCE = "The operation is done when it is answered, after which the waiter returns at once."
NO_RESULT_CACHE = "Results are gone when the workspace ends."

DATA = (
    Family(
        "Unity Catalog",
        (
            partly("POST", f"{UC}/catalogs", "catalogs.create", NO_OTHER_STORAGE),
            like("GET", f"{UC}/catalogs", "catalogs.list"),
            like("GET", f"{UC}/catalogs/{{name}}", "catalogs.get"),
            partly(
                "PATCH",
                f"{UC}/catalogs/{{name}}",
                "catalogs.update",
                f"{NO_RENAME} No isolation or bindings.",
            ),
            like("DELETE", f"{UC}/catalogs/{{name}}", "catalogs.delete"),
            partly("POST", f"{UC}/schemas", "schemas.create", NO_OTHER_STORAGE),
            like("GET", f"{UC}/schemas", "schemas.list"),
            like("GET", f"{UC}/schemas/{{full_name}}", "schemas.get"),
            partly("PATCH", f"{UC}/schemas/{{full_name}}", "schemas.update", NO_RENAME),
            like("DELETE", f"{UC}/schemas/{{full_name}}", "schemas.delete"),
            partly("POST", f"{UC}/volumes", "volumes.create", "Managed volumes only."),
            like("GET", f"{UC}/volumes", "volumes.list"),
            like("GET", f"{UC}/volumes/{{full_name}}", "volumes.read"),
            partly("PATCH", f"{UC}/volumes/{{full_name}}", "volumes.update", NO_RENAME),
            like("DELETE", f"{UC}/volumes/{{full_name}}", "volumes.delete"),
            partly(
                "POST",
                f"{UC}/tables",
                "tables.create",
                "External Delta tables in the workspace's own storage only.",
            ),
            like("GET", f"{UC}/tables", "tables.list"),
            like("GET", f"{UC}/table-summaries", "tables.list_summaries"),
            like("GET", f"{UC}/tables/{{full_name}}", "tables.get"),
            like("GET", f"{UC}/tables/{{full_name}}/exists", "tables.exists"),
            partly("PATCH", f"{UC}/tables/{{full_name}}", "tables.update", "Owner and comment only."),
            like("DELETE", f"{UC}/tables/{{full_name}}", "tables.delete"),
            refused("POST", f"{UC}/functions", "functions.create", "Use CREATE FUNCTION on a warehouse."),
            like("GET", f"{UC}/functions", "functions.list"),
            like("GET", f"{UC}/functions/{{full_name}}", "functions.get"),
            like("PATCH", f"{UC}/functions/{{full_name}}", "functions.update"),
            like("DELETE", f"{UC}/functions/{{full_name}}", "functions.delete"),
            like("PATCH", f"{UC}/permissions/{{kind}}/{{full_name}}", "grants.update"),
            partly(
                "GET",
                f"{UC}/permissions/{{kind}}/{{full_name}}",
                "grants.get",
                "All grants come on one page.",
            ),
            like("GET", f"{UC}/privilege-assignments/{{kind}}/{{full_name}}"),
            partly(
                "GET",
                f"{UC}/effective-permissions/{{kind}}/{{full_name}}",
                "grants.get_effective",
                "All privileges come on one page.",
            ),
            like("GET", f"{UC}/effective-privilege-assignments/{{kind}}/{{full_name}}"),
            like("GET", f"{UC}/metastore_summary", "metastores.summary"),
            partly("GET", f"{UC}/metastores", "metastores.list", "There is one metastore."),
            like("GET", f"{UC}/metastores/{{metastore_id}}", "metastores.get"),
            like("GET", f"{UC}/current-metastore-assignment", "metastores.current"),
            refused(
                "POST", f"{UC}/external-locations", "external_locations.create", "There is no other storage."
            ),
            refused("POST", f"{UC}/registered-models/m", "registered_models.create", "There are no models."),
        ),
    ),
    Family(
        "Files of volumes",
        (
            like("PUT", f"{FILES}/files/{{path:path}}", "files.upload"),
            like("GET", f"{FILES}/files/{{path:path}}", "files.download"),
            like("HEAD", f"{FILES}/files/{{path:path}}", "files.get_metadata"),
            like("DELETE", f"{FILES}/files/{{path:path}}", "files.delete"),
            like("PUT", f"{FILES}/directories/{{path:path}}", "files.create_directory"),
            like("GET", f"{FILES}/directories/{{path:path}}", "files.list_directory_contents"),
            like("HEAD", f"{FILES}/directories/{{path:path}}", "files.get_directory_metadata"),
            like("DELETE", f"{FILES}/directories/{{path:path}}", "files.delete_directory"),
            like("POST", f"{FILES}/files/{{path:path}}", "files.upload"),
            like("POST", f"{FILES}/create-upload-part-urls", "files.upload"),
            like("POST", f"{FILES}/create-abort-upload-url", "files.upload"),
            own(
                "PUT",
                f"{FILES}/uploads/{{token}}/{{number}}",
                "A part of an upload; cloud storage on the platform.",
            ),
            own("DELETE", f"{FILES}/uploads/{{token}}", "Ends an upload; cloud storage on the platform."),
        ),
    ),
    Family(
        "SQL warehouses and statements",
        (
            like("GET", f"{SQL}/warehouses", "warehouses.list"),
            partly(
                "POST",
                f"{SQL}/warehouses",
                "warehouses.create",
                "Sizes and scaling are kept and have no effect.",
            ),
            like("GET", f"{SQL}/warehouses/{{warehouse_id}}", "warehouses.get"),
            partly(
                "POST",
                f"{SQL}/warehouses/{{warehouse_id}}/edit",
                "warehouses.edit",
                "Sizes and scaling are kept and have no effect.",
            ),
            partly(
                "POST",
                f"{SQL}/warehouses/{{warehouse_id}}/start",
                "warehouses.start",
                "It runs at once, without STARTING.",
            ),
            partly(
                "POST",
                f"{SQL}/warehouses/{{warehouse_id}}/stop",
                "warehouses.stop",
                "It is stopped at once, without STOPPING.",
            ),
            like("DELETE", f"{SQL}/warehouses/{{warehouse_id}}", "warehouses.delete"),
            like("POST", f"{SQL}/sessions"),
            like("DELETE", f"{SQL}/sessions/{{session_id}}"),
            partly(
                "POST",
                f"{SQL}/statements",
                "statement_execution.execute_statement",
                "The SQL is Sail's, with the commands that the workspace adds; no scripts. Query tags have no effect.",
            ),
            partly(
                "GET",
                f"{SQL}/statements/{{statement_id}}",
                "statement_execution.get_statement",
                NO_RESULT_CACHE,
            ),
            like(
                "GET",
                f"{SQL}/statements/{{statement_id}}/result/chunks/{{index}}",
                "statement_execution.get_statement_result_chunk_n",
            ),
            like("POST", f"{SQL}/statements/{{statement_id}}/cancel", "statement_execution.cancel_execution"),
            like("DELETE", f"{SQL}/statements/{{statement_id}}"),
            own(
                "GET",
                f"{SQL}/results/{{statement_id}}/{{secret}}/{{index}}",
                "A chunk of a result behind its link; cloud storage on the platform.",
            ),
            partly(
                "GET",
                "/api/2.0/connector-service/feature-flags/{client}/{version}",
                "",
                "No feature is turned on.",
            ),
            refused("GET", f"{SQL}/history/queries", "query_history.list", "There is no history of queries."),
        ),
    ),
    Family(
        "Lakebase",
        (
            partly(
                "POST",
                f"{POSTGRES}/projects",
                "postgres.create_project",
                f"Capacity and suspension are kept and have no effect. {AT_ONCE}",
            ),
            like("GET", f"{POSTGRES}/projects", "postgres.list_projects"),
            like("POST", f"{POSTGRES}/projects/{{project}}/undelete", "postgres.undelete_project"),
            like("DELETE", f"{POSTGRES}/projects/{{project}}", "postgres.delete_project"),
            like("POST", f"{POSTGRES}/catalogs", "postgres.create_catalog"),
            like("GET", f"{POSTGRES}/catalogs/{{catalog_id}}", "postgres.get_catalog"),
            like("DELETE", f"{POSTGRES}/catalogs/{{catalog_id}}", "postgres.delete_catalog"),
            partly(
                "POST",
                f"{POSTGRES}/synced_tables",
                "postgres.create_synced_table",
                "Delta tables only; type overrides to VARCHAR only; no extra columns, no shared pipelines.",
            ),
            own("GET", f"{POSTGRES}/synced_tables", "All synced tables."),
            like("GET", f"{POSTGRES}/synced_tables/{{full_name}}", "postgres.get_synced_table"),
            like("DELETE", f"{POSTGRES}/synced_tables/{{full_name}}", "postgres.delete_synced_table"),
            partly(
                "POST",
                f"{POSTGRES}/credentials",
                "postgres.generate_database_credential",
                "All requests of an hour get the same token, whatever ttl they ask for.",
            ),
            partly("POST", f"{POSTGRES}/{{parent:path}}/databases", "postgres.create_database", AT_ONCE),
            like(
                "DELETE", f"{POSTGRES}/{{parent:path}}/databases/{{database_id}}", "postgres.delete_database"
            ),
            partly(
                "POST",
                f"{POSTGRES}/{{parent:path}}/roles",
                "postgres.create_role",
                "Roles that log in with OAuth tokens only.",
            ),
            like("DELETE", f"{POSTGRES}/{{parent:path}}/roles/{{role_id}}", "postgres.delete_role"),
            partly(
                "GET",
                f"{POSTGRES}/{{parent:path}}/{{last}}",
                "postgres.get_endpoint",
                "Get and list of what a project holds; there is one branch with one endpoint.",
            ),
            partly(
                "PATCH",
                f"{POSTGRES}/{{name:path}}",
                "postgres.update_project",
                "Projects, endpoints and roles; most settings are kept and have no effect.",
            ),
            refused(
                "POST",
                f"{POSTGRES}/{{name:path}}",
                "postgres.create_branch",
                "No branches, endpoints, snapshots.",
            ),
            refused(
                "DELETE", f"{POSTGRES}/{{name:path}}", "postgres.delete_branch", "They go with their project."
            ),
        ),
    ),
)

"""A Databricks workspace on one machine: the REST API that the unmodified clients speak, over real engines."""

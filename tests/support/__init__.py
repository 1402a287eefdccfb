"""What the tests share: a running workspace, builders, waiting for conditions, killing processes."""

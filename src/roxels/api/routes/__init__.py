"""What can be asked for, one module per resource: read the body, run one action, show what came of it."""

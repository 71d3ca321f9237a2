"""The routes, one module per resource; each calls one action and one view."""

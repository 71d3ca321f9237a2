"""What happens: one function is one transaction is one sentence of the product."""

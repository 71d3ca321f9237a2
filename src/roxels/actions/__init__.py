"""What happens. One function, one transaction, one sentence of the product."""

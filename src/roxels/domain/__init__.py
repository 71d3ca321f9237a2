"""What is true: pure values and decisions, without I/O, clock or framework."""

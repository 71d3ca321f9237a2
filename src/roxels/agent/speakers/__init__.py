"""What decides the agent's words, each behind the port `agent.ports.Speaker`."""

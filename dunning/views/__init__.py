"""What people decide and see of the engine."""

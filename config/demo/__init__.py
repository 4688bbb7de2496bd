"""The demonstration: three invented firms, their people and their last six weeks, told again on any day."""

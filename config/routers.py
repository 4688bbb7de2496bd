"""Who may change the schema: the owner, and nobody else."""

from typing import Any


class OwnerMigrates:
    """Let migrations run on the owner's alias only; reads and writes keep the alias they name."""

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **hints: Any) -> bool:
        """Say whether this alias may create or change tables."""
        return db == "owner"

    def allow_relation(self, first: Any, second: Any, **hints: Any) -> bool:
        """Every alias is the same database under another role."""
        return True

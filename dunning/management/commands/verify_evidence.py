"""Verify the chains of evidence, link by link, and the messages they prove."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cabinets.models import Cabinet
from cabinets.scoping import working_for
from dunning.services import evidence
from dunning.services.nights import SCHEDULER


class Command(BaseCommand):
    """Leaves with an error as soon as one chain does not hold."""

    help = "Verify the chain of evidence of each firm, or of one; exit with 1 when one does not hold."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take a firm's identifier, or none."""
        parser.add_argument("slug", nargs="?")
        parser.add_argument("--links-only", action="store_true", help="do not hash the messages again")

    def handle(self, *args: Any, **options: Any) -> None:
        """Walk each chain."""
        firms = Cabinet.objects.using(SCHEDULER).order_by("slug")
        if options["slug"]:
            firms = firms.filter(slug=options["slug"])
        rows = list(firms.values_list("pk", "slug"))
        if not rows:
            raise CommandError("Aucun cabinet ne porte cet identifiant.")
        broken = 0
        for cabinet_id, slug in rows:
            with working_for(cabinet_id=cabinet_id):
                verdict = evidence.verify(with_contents=not options["links_only"])
            broken += not verdict.holds
            self.stdout.write(f"{slug} : {told(verdict)}")
        if broken:
            raise CommandError(f"{broken} chaîne(s) de preuves ne tiennent pas.")


def told(verdict: evidence.Verdict) -> str:
    """Say what a verification found."""
    if verdict.broken_at is not None:
        return f"ROMPUE au maillon n° {verdict.broken_at} ({verdict.why}) ; {verdict.links} tiennent avant lui"
    if verdict.altered:
        return (
            f"{verdict.links} maillons tiennent, mais {len(verdict.altered)} message(s) ne sont plus ce qui est parti"
        )
    erased = f", {verdict.erased} contenu(s) effacé(s)" if verdict.erased else ""
    return f"{verdict.links} maillons tiennent{erased} ; tête {verdict.head.hex()[:16]}"

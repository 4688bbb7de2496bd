"""People: who signs in, where they belong, what they hold to prove it."""

import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django_otp.models import Device

from cabinets.enums import RIGHTS, Right, Role
from cabinets.scoping import CabinetOwned
from cabinets.wall import Grant, Wall


class UserManager(BaseUserManager["User"]):
    """Creates people; an e-mail address is one person whatever its case."""

    def create_user(self, email: str, password: str | None = None, **facts: Any) -> "User":
        """Create a person who may sign in once they belong to a firm."""
        user = self.model(email=self.normalize_email(email).lower(), **facts)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **facts: Any) -> "User":
        """Create an operator of the platform."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **facts)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find a person by address, whatever its case."""
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person: member of firms, or operator of the platform; never a client of a firm."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(
        "adresse e-mail", unique=True, error_messages={"unique": "Cette adresse est déjà utilisée."}
    )
    first_name = models.CharField("prénom", max_length=60, blank=True)
    last_name = models.CharField("nom", max_length=60, blank=True)
    is_staff = models.BooleanField("exploitant", default=False)
    is_active = models.BooleanField("actif", default=True)
    has_shortcuts = models.BooleanField("raccourcis clavier", default=True)
    joined_at = models.DateTimeField("inscrit le", auto_now_add=True)

    objects = UserManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = "personne"

    def __str__(self) -> str:
        return self.get_full_name() or self.email

    def get_full_name(self) -> str:
        """Return first and last name."""
        return f"{self.first_name} {self.last_name}".strip()

    def get_short_name(self) -> str:
        """Return the first name."""
        return self.first_name or self.email


class Membership(CabinetOwned):
    """A person in a firm: the role, and the wider right when it is given to them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="personne")
    role = models.CharField("rôle", max_length=12, choices=Role)
    # Read by the database's need-to-know policies; set by `services.people` from the role, or given to one person.
    sees_every_file = models.BooleanField("voit tous les dossiers", default=False)
    is_active = models.BooleanField("actif", default=True)
    gets_morning_mail = models.BooleanField("reçoit l’e-mail du matin", default=True)
    gets_monthly_figures = models.BooleanField("reçoit les chiffres du mois", default=False, db_default=False)
    joined_at = models.DateTimeField("arrivé le", auto_now_add=True)

    # Rights that stand for the role's: an operator let in for an hour, who has no row here (services/support.py).
    only: frozenset[Right] | None = None

    wall: ClassVar[Wall] = Wall(
        scheduler=Grant(select=("id", "cabinet_id", "is_active", "role", "sees_every_file")),
        # No place is made for anybody: people join by an invitation of their firm.
        operator=Grant(select=("*",), update=("role", "sees_every_file", "is_active")),
    )

    class Meta(CabinetOwned.Meta):
        verbose_name = "membre"
        constraints = [
            models.UniqueConstraint(
                name="member_once",
                fields=["cabinet", "user"],
                violation_error_message="Cette personne fait déjà partie du cabinet.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} ({self.role})"

    def can(self, right: Right) -> bool:
        """Say whether this person may do it here."""
        if not self.is_active:
            return False
        if self.only is not None:
            return right in self.only
        if right == Right.SEE_EVERY_FILE:
            return self.sees_every_file
        return right in RIGHTS[Role(self.role)]


class Invitation(CabinetOwned):
    """An offer to join a firm, by a link valid seven days and used once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField("adresse e-mail")
    role = models.CharField("rôle", max_length=12, choices=Role)
    token_hash = models.BinaryField("empreinte du jeton", unique=True)
    invited_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+", null=True)
    expires_at = models.DateTimeField("valable jusqu’au")
    accepted_at = models.DateTimeField("acceptée le", null=True)
    revoked_at = models.DateTimeField("annulée le", null=True)
    created_at = models.DateTimeField("envoyée le", auto_now_add=True)

    class Meta(CabinetOwned.Meta):
        verbose_name = "invitation"

    def __str__(self) -> str:
        return str(self.pk)


class Session(AbstractBaseSession):
    """A session on a device, listed and revocable by the person it belongs to."""

    user_id = models.UUIDField("personne", null=True, db_index=True)
    # Names the session on a page, and opens nothing: a digest of its key (cabinets.sessions).
    reference = models.CharField("référence", max_length=16, null=True, unique=True, editable=False)
    address = models.GenericIPAddressField("adresse IP", null=True)
    agent = models.CharField("navigateur", max_length=200, blank=True)
    started_at = models.DateTimeField("ouverte le", null=True)
    seen_at = models.DateTimeField("vue le", null=True)

    class Meta(AbstractBaseSession.Meta):
        verbose_name = "session"

    def __str__(self) -> str:
        return self.session_key[:6]


class OpenSession(models.Model):
    """A session as the operators' desk knows it: who and where from, never the key that opens it."""

    reference = models.CharField("référence", max_length=16, primary_key=True)
    user_id = models.UUIDField("personne", null=True)
    address = models.GenericIPAddressField("adresse IP", null=True)
    agent = models.CharField("navigateur", max_length=200, blank=True)
    started_at = models.DateTimeField("ouverte le", null=True)
    seen_at = models.DateTimeField("vue le", null=True)

    class Meta:
        managed = False
        db_table = "cabinets_session"
        verbose_name = "session"

    def __str__(self) -> str:
        return self.reference


class TotpDevice(Device):  # type: ignore[misc]  # django-otp carries no types
    """An authenticator application; the seed is sealed by the installation's key, and no code is accepted twice."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="+")
    seed = models.BinaryField("graine scellée")
    last_step = models.BigIntegerField("dernier pas accepté", default=-1)
    failures = models.PositiveIntegerField("échecs de suite", default=0)
    failed_at = models.DateTimeField("dernier échec", null=True)
    created_at = models.DateTimeField("créé le", auto_now_add=True)

    class Meta:
        verbose_name = "application d’authentification"

    def __str__(self) -> str:
        return f"TOTP {self.pk}"


class PasskeyDevice(Device):  # type: ignore[misc]  # django-otp carries no types
    """A passkey: its public key sealed for its person, and the count its authenticator keeps of its uses."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    credential_id = models.BinaryField("identifiant")
    credential_hash = models.CharField(
        "empreinte de l’identifiant",
        max_length=64,
        unique=True,
        error_messages={"unique": "Cette clé d’accès est déjà enregistrée."},
    )
    public_key = models.BinaryField("clé publique scellée")
    sign_count = models.BigIntegerField("compteur d’usages", default=0)
    transports = models.JSONField("façons de la joindre", default=list)
    created_at = models.DateTimeField("ajoutée le", auto_now_add=True)
    last_used_at = models.DateTimeField("dernier usage", null=True)
    # Its count went back: two copies answer, and nobody knows which one is the person's.
    suspected_at = models.DateTimeField("copie soupçonnée le", null=True)

    class Meta:
        verbose_name = "clé d’accès"
        verbose_name_plural = "clés d’accès"

    def __str__(self) -> str:
        return f"passkey {self.pk}"

    @property
    def persistent_id(self) -> str:
        """Return what a session keeps of it: django-otp reads a number there, and a UUID is one."""
        return f"{self.model_label()}/{self.pk.int}"


class OperatorAct(models.Model):
    """What an operator did to the platform: append-only."""

    operator = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField("instant", auto_now_add=True)
    event = models.CharField("événement", max_length=60)
    subject = models.CharField("objet", max_length=120)
    address = models.GenericIPAddressField("adresse IP", null=True)
    facts = models.JSONField("faits", default=dict)

    class Meta:
        verbose_name = "acte d’exploitation"
        verbose_name_plural = "actes d’exploitation"

    def __str__(self) -> str:
        return self.event

"""How stewards who are not looking are told, from settings."""

from core.adapters.copy import load_copy
from core.adapters.messages import Mail, MailPlace, Webhook
from core.adapters.warnings_text import in_words
from core.ports.messages import Messenger
from core.services.watch import InWords
from core.settings import Settings

LANGUAGE = "en"


def wording() -> InWords:
    """Warnings in the language of stewards."""
    copy = load_copy(LANGUAGE)
    return lambda warning: in_words(warning, copy)


def messengers(settings: Settings) -> list[Messenger]:
    """The ways that are set; none on a node whose stewards look by themselves."""
    ways: list[Messenger] = []
    if settings.WARN_WEBHOOK_URL:
        ways.append(Webhook(settings.WARN_WEBHOOK_URL))
    recipients = tuple(address.strip() for address in settings.WARN_EMAIL_TO.split(",") if address.strip())
    if recipients:
        place = MailPlace(
            host=settings.SMTP_HOST,
            port=settings.SMTP_PORT,
            security=settings.SMTP_SECURITY,
            user=settings.SMTP_USER,
            password=settings.SMTP_PASSWORD,
            sender=settings.WARN_EMAIL_FROM or recipients[0],
            recipients=recipients,
        )
        ways.append(Mail(place, load_copy(LANGUAGE)))
    return ways

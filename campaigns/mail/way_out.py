"""Which way messages leave by."""

from django.conf import settings

from campaigns.mail.transport import Pool, Transport


def transport(size: int) -> Transport:
    """What EMAIL_URL leads to, with up to so many connections."""
    if settings.EMAIL_PROVIDER:
        from campaigns.mail.providers import Provider  # which a mail server does without

        return Provider(size)
    return Pool(size)

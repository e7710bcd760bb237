"""Django's PostgreSQL, but a kept connection is looked at before it is used, and not asked."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """Whether the server is still there.

        A server that goes says so, or its end of the connection is closed: then there is something to read where nothing was
        asked. Only then is it asked, which Django would do before the first statement of each request.
        """
        if self.connection is not None and not self.connection.closed:
            poll = select.poll()
            poll.register(self.connection.fileno(), select.POLLIN)
            if not poll.poll(0):
                return True
        return super().is_usable()

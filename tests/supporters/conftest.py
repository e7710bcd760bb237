from tests.campaigns.conftest import server

__all__ = ["server"]

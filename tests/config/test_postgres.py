import pytest
from django.db import connection, connections

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_kept_connection_is_not_asked_whether_it_is_there(monkeypatch):
    connection.ensure_connection()
    before = connection.connection.info.backend_pid
    with connection.cursor() as cursor:
        cursor.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [before])
    assert connection.is_usable()
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [before])
        assert "pg_stat_activity" in cursor.fetchone()[0]  # what it did last; a question would have been SELECT 1
    other.close()


def test_one_that_the_server_ended_is_opened_anew(client):
    connection.ensure_connection()
    before = connection.connection.info.backend_pid
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [before])
    other.close()
    assert not connection.is_usable()
    connection.health_check_done, connection.health_check_enabled = False, True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone()[0] != before

"""Pushes and pulls in processes that are killed: for each line read from standard input, one that works until then.

    pull      reads what changed there, then pushes, over and over
    push      only pushes
    … many    hands in however few calls about single members
    wait      for the end of the last one, which somebody killed

Answers with a process id, or “gone”.
"""

import os
import sys


def main(audience: int) -> None:
    import django

    django.setup()
    from campaigns.mailchimp import bulk, client, difference, slots
    from campaigns.mailchimp.pull import pull
    from campaigns.mailchimp.push import push

    client._pause = lambda attempt, asked: 0.02
    difference.CHUNK = 50
    slots.LEASE = 2
    bulk.POLL, bulk.LONGEST = 0.02, 0.1
    child = 0
    for line in sys.stdin:
        if line.strip() == "wait":
            os.waitpid(child, 0)
            print("gone", flush=True)
            continue
        child = os.fork()
        if child:
            print(child, flush=True)
            continue
        if "many" in line:
            bulk.FEW = 0
        while True:
            if "pull" in line:
                pull(audience)
            push(audience)


if __name__ == "__main__":
    main(int(sys.argv[1]))

class Refusal(ValueError):
    """It can't be done; each message says why."""

    def __init__(self, *messages: str) -> None:
        super().__init__(" ".join(messages))
        self.messages = list(messages)

class Mill:
    def __init__(self, underline="-"):
        self.underline = underline

    def __call__(self, text):
        first, _, rest = text.partition("\n")
        return f"{first.title()}\n{self.underline * len(first)}\n{rest}"

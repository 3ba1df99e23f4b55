import markdown


class Mill:
    def __init__(self, extensions=()):
        self.extensions = list(extensions)

    def __call__(self, text):
        return markdown.markdown(text, extensions=self.extensions) + "\n"

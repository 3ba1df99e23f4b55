class Mill:
    def __init__(self, by):
        self.by = by

    def __call__(self, text):
        return "".join(self.turn(letter) for letter in text)

    def turn(self, letter):
        if not letter.isascii() or not letter.isalpha():
            return letter
        start = ord("a") if letter.islower() else ord("A")
        return chr((ord(letter) - start + self.by) % 26 + start)

pub fn sign() -> char {
    '+'
}

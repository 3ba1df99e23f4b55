//! Text to Morse and back, for the letters of a table that is compiled in.

const TABLE: &str = include_str!("latin.txt");

fn rows() -> impl Iterator<Item = (char, &'static str)> {
    TABLE.lines().filter_map(|line| {
        let (letter, signs) = line.split_once(' ')?;
        Some((letter.chars().next()?, signs))
    })
}

/// Signs apart by a space; a letter that the table lacks becomes `?`.
pub fn encode(text: &str) -> String {
    let signs: Vec<&str> = text
        .to_lowercase()
        .chars()
        .map(|wanted| rows().find(|row| row.0 == wanted).map_or("?", |row| row.1))
        .collect();
    signs.join(" ")
}

pub fn decode(signs: &str) -> Option<String> {
    signs
        .split(' ')
        .map(|wanted| rows().find(|row| row.1 == wanted).map(|row| row.0))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        assert_eq!(encode("SOS"), "... --- ...");
        assert_eq!(decode(&encode("molten")).as_deref(), Some("molten"));
        assert_eq!(decode("......."), None);
    }
}

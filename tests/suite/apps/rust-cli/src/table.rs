pub fn parse(text: &str) -> Vec<(String, u32)> {
    text.lines()
        .filter_map(|line| line.split_once(','))
        .map(|(item, count)| (item.to_string(), count.parse().unwrap_or(0)))
        .collect()
}

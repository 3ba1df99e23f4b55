mod table;

use std::{env, fs, process};

fn main() {
    let args: Vec<String> = env::args().collect();
    let text = fs::read_to_string(&args[1]).unwrap_or_else(|error| {
        eprintln!("{}: {}", args[1], error);
        process::exit(1)
    });
    let rows = table::parse(&text);
    match args.get(2) {
        Some(name) => match rows.iter().find(|(item, _)| item == name) {
            Some((_, count)) => println!("{count}"),
            None => process::exit(4),
        },
        None => println!("{}", rows.iter().map(|(_, count)| count).sum::<u32>()),
    }
}

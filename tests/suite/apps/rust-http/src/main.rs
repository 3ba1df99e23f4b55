use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

fn main() -> std::io::Result<()> {
    let path = env::var("QUOTES").unwrap_or_else(|_| "quotes.txt".into());
    let listener = TcpListener::bind("0.0.0.0:7878")?;
    for stream in listener.incoming() {
        let mut stream = stream?;
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line)?;
        let number: usize = line.split('/').nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok()).unwrap_or(0);
        let quotes = fs::read_to_string(&path)?;
        let (status, body) = match quotes.lines().nth(number) {
            Some(quote) => ("200 OK", quote.to_string()),
            None => ("404 Not Found", "no such quote".into()),
        };
        write!(stream, "HTTP/1.0 {}\r\nContent-Length: {}\r\n\r\n{}", status, body.len(), body)?;
    }
    Ok(())
}

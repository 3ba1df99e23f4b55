use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

fn main() -> io::Result<()> {
    let root = Arc::new(PathBuf::from(env::args().nth(1).unwrap_or_else(|| ".".into())));
    let address = env::var("MORSE_ADDR").unwrap_or_else(|_| "127.0.0.1:3000".into());
    let listener = TcpListener::bind(&address)?;
    eprintln!("listening on {address}");
    for stream in listener.incoming() {
        let (stream, root) = (stream?, Arc::clone(&root));
        thread::spawn(move || {
            if let Err(error) = answer(stream, &root) {
                eprintln!("{error}");
            }
        });
    }
    Ok(())
}

fn answer(mut stream: TcpStream, root: &PathBuf) -> io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = first.split(' ').nth(1).unwrap_or("/").to_string();
    let (status, body) = respond(&path, root);
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(&body)
}

fn respond(path: &str, root: &PathBuf) -> (&'static str, Vec<u8>) {
    if let Some(text) = path.strip_prefix("/encode/") {
        return ("200 OK", morse_code::encode(text).into_bytes());
    }
    if let Some(signs) = path.strip_prefix("/decode/") {
        return match morse_code::decode(&signs.replace('_', " ")) {
            Some(text) => ("200 OK", text.into_bytes()),
            None => ("422 Unprocessable Content", Vec::new()),
        };
    }
    let name = if path == "/" { "index.html" } else { &path[1..] };
    if name.contains("..") {
        return ("404 Not Found", Vec::new());
    }
    match fs::read(root.join(name)) {
        Ok(body) => ("200 OK", body),
        Err(_) => ("404 Not Found", Vec::new()),
    }
}

mod sqlite;
mod store;

use std::collections::HashMap;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use store::Store;

fn words(lang: &str) -> HashMap<String, String> {
    let text = fs::read_to_string(format!("assets/lang/{lang}.txt")).unwrap_or_default();
    text.lines().filter_map(|line| line.split_once('=')).map(|(key, value)| (key.into(), value.into())).collect()
}

fn page(name: &str, words: &HashMap<String, String>, body: &str) -> String {
    let mut page = fs::read_to_string(format!("assets/{name}.html")).expect("a page");
    for (key, value) in words {
        page = page.replace(&format!("{{{{{key}}}}}"), value);
    }
    page.replace("{{body}}", body)
}

fn answer(store: &Store, path: &str, lang: &str) -> (u16, String) {
    let words = words(lang);
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match parts[..] {
        [""] => (200, page("index", &words, &store.count())),
        ["put", text] => (200, format!("{}\n", store.put(text))),
        ["get", seal] => match store.get(seal) {
            Some(text) => (200, page("letter", &words, &text)),
            None => (404, page("none", &words, seal)),
        },
        ["lang", other] => answer(store, "/", other),
        _ => (404, page("none", &words, path)),
    }
}

fn serve(store: &Store, stream: TcpStream, lang: &str) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?.take(8192));
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    let (status, body) = answer(store, first.split(' ').nth(1).unwrap_or("/"), lang);
    let mut stream = stream;
    write!(stream, "HTTP/1.1 {status} -\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

fn main() {
    let lang = env::var("POSTBOX_LANG").unwrap_or("en".into());
    let store = Store::open(&env::var("POSTBOX_FILE").unwrap_or("letters.sqlite".into()));
    let listener = TcpListener::bind("0.0.0.0:8000").expect("port 8000");
    for stream in listener.incoming().flatten() {
        if let Err(error) = serve(&store, stream, &lang) {
            eprintln!("{error}");
        }
    }
}

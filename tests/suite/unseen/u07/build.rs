use std::{env, fs, path::Path};

fn main() {
    let rows = fs::read_to_string("tables/faces.txt").unwrap();
    let body: String = rows.lines().map(|l| { let (k, v) = l.split_once('=').unwrap(); format!("({k:?}, {v:?}),") }).collect();
    fs::write(Path::new(&env::var("OUT_DIR").unwrap()).join("faces.rs"), format!("&[{body}]")).unwrap();
    println!("cargo:rerun-if-changed=tables");
}

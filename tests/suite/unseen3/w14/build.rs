use std::process::Command;

/// Links what pkg-config knows of the libraries.
fn main() {
    for library in ["sqlite3", "libcrypto"] {
        let done = Command::new("pkg-config").args(["--libs", library]).output().expect("pkg-config");
        assert!(done.status.success(), "no library {library}");
        for word in String::from_utf8(done.stdout).unwrap().split_whitespace() {
            match word.split_at(2) {
                ("-l", name) => println!("cargo:rustc-link-lib={name}"),
                ("-L", path) => println!("cargo:rustc-link-search={path}"),
                _ => (),
            }
        }
    }
    println!("cargo:rerun-if-changed=build.rs");
}

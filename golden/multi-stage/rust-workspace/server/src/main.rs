fn main() {
    println!("{}", signs::sign());
}

use crate::sqlite::Database;
use std::ffi::c_uchar;

extern "C" {
    fn SHA256(data: *const c_uchar, length: usize, digest: *mut c_uchar) -> *mut c_uchar;
}

pub struct Store {
    db: Database,
}

impl Store {
    pub fn open(file: &str) -> Store {
        let db = Database::open(file).expect("the letters");
        db.query("CREATE TABLE IF NOT EXISTS letter (seal TEXT PRIMARY KEY, body TEXT)", &[]).expect("a table");
        Store { db }
    }

    /// Keeps a letter under its seal, the start of its SHA-256.
    pub fn put(&self, body: &str) -> String {
        let mut digest = [0u8; 32];
        unsafe { SHA256(body.as_ptr(), body.len(), digest.as_mut_ptr()) };
        let seal: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        self.db.query("INSERT OR IGNORE INTO letter VALUES (?, ?)", &[&seal, body]).expect("an insert");
        seal
    }

    pub fn get(&self, seal: &str) -> Option<String> {
        self.db.query("SELECT body FROM letter WHERE seal = ?", &[seal]).expect("a letter")
    }

    pub fn count(&self) -> String {
        self.db.query("SELECT count(*) FROM letter", &[]).expect("a count").unwrap_or_default()
    }
}

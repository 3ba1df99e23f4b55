//! As much of sqlite as a postbox needs.

use std::ffi::{c_char, c_int, c_void, CStr, CString};
use std::ptr;

#[repr(C)]
struct Handle {
    _private: [u8; 0],
}

extern "C" {
    fn sqlite3_open(file: *const c_char, db: *mut *mut Handle) -> c_int;
    fn sqlite3_prepare_v2(db: *mut Handle, sql: *const c_char, length: c_int, out: *mut *mut Handle, tail: *mut *const c_char) -> c_int;
    fn sqlite3_bind_text(statement: *mut Handle, at: c_int, text: *const c_char, length: c_int, free: *const c_void) -> c_int;
    fn sqlite3_step(statement: *mut Handle) -> c_int;
    fn sqlite3_column_text(statement: *mut Handle, column: c_int) -> *const c_char;
    fn sqlite3_finalize(statement: *mut Handle) -> c_int;
    fn sqlite3_errmsg(db: *mut Handle) -> *const c_char;
}

const ROW: c_int = 100;
const DONE: c_int = 101;

pub struct Database(*mut Handle);

impl Database {
    pub fn open(file: &str) -> Result<Database, String> {
        let mut db = ptr::null_mut();
        let name = CString::new(file).map_err(|error| error.to_string())?;
        match unsafe { sqlite3_open(name.as_ptr(), &mut db) } {
            0 => Ok(Database(db)),
            code => Err(format!("sqlite: {code}")),
        }
    }

    /// The first column of the first row, if there is one.
    pub fn query(&self, sql: &str, values: &[&str]) -> Result<Option<String>, String> {
        let mut statement = ptr::null_mut();
        let text = CString::new(sql).map_err(|error| error.to_string())?;
        unsafe {
            if sqlite3_prepare_v2(self.0, text.as_ptr(), -1, &mut statement, ptr::null_mut()) != 0 {
                return Err(self.error());
            }
            for (at, value) in values.iter().enumerate() {
                sqlite3_bind_text(statement, at as c_int + 1, value.as_ptr().cast(), value.len() as c_int, ptr::null());
            }
            let found = match sqlite3_step(statement) {
                ROW => Ok(Some(CStr::from_ptr(sqlite3_column_text(statement, 0)).to_string_lossy().into_owned())),
                DONE => Ok(None),
                _ => Err(self.error()),
            };
            sqlite3_finalize(statement);
            found
        }
    }

    fn error(&self) -> String {
        unsafe { CStr::from_ptr(sqlite3_errmsg(self.0)).to_string_lossy().into_owned() }
    }
}

//! Identifiers from the operating system's randomness.

use std::fmt;

use commerce_core::port::ids::{Ids, v7};
use commerce_core::value::time::Timestamp;
use uuid::Uuid;

use crate::sync::{Mutex, lock};

/// Bytes fetched from the operating system at once: a call costs more than ten bytes are worth.
const BUFFER: usize = 4000;
/// Random bytes of one id (74 of their 80 bits are kept by version 7).
const NEEDED: usize = 10;

/// Makes time-ordered ids (UUID version 7) with bytes of the operating system's random generator.
pub struct OsIds {
    buffer: Mutex<Buffer>,
}

struct Buffer {
    bytes: Box<[u8; BUFFER]>,
    used: usize,
}

impl OsIds {
    /// A new source.
    pub fn new() -> Self {
        Self { buffer: Mutex::new(Buffer { bytes: Box::new([0; BUFFER]), used: BUFFER }) }
    }
}

impl Default for OsIds {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for OsIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OsIds")
    }
}

impl Ids for OsIds {
    fn next(&self, now: Timestamp) -> Uuid {
        let mut buffer = lock(&self.buffer);
        if buffer.used + NEEDED > BUFFER {
            // Without randomness no id can be unique; there is nothing to fall back on, and the
            // operating systems that Rust's standard library runs on do not fail here after boot.
            while getrandom::fill(&mut buffer.bytes[..]).is_err() {
                std::thread::yield_now();
            }
            buffer.used = 0;
        }
        let start = buffer.used;
        buffer.used += NEEDED;
        let mut random = [0; NEEDED];
        for (to, from) in random.iter_mut().zip(buffer.bytes.iter().skip(start)) {
            *to = *from;
        }
        v7(now, random)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_do_not_repeat_across_refills() {
        let ids = OsIds::new();
        let made: HashSet<Uuid> = (0..2000).map(|_| ids.next(Timestamp::UNIX_EPOCH)).collect();
        assert_eq!(made.len(), 2000);
    }
}

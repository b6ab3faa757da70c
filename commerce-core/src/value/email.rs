//! E-mail addresses.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// An address of the form `local@domain`.
///
/// Trimmed and in normalisation form C. The domain is ASCII in lower case; the local part is kept as it
/// was written, and compared without regard to case by [`canonical`](Self::canonical). Two `Email`s are
/// equal where their canonical forms are. Shown as `***` in `Debug`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email {
    written: Arc<str>,
    canonical: Arc<str>,
}

/// The address is refused. Never holds the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidEmail {
    /// Longer than 254 bytes, or a local part longer than 64.
    #[error("e-mail address is too long")]
    TooLong,
    /// Not of the form `local@domain`.
    #[error("e-mail address is not of the form local@domain")]
    Malformed,
    /// The local part is quoted, empty or holds characters that need quotes.
    #[error("local part of the e-mail address is not supported")]
    LocalPart,
    /// The domain is not a name with at least one dot, or is an address literal.
    #[error("domain of the e-mail address is not a domain name")]
    Domain,
    /// The domain is not ASCII.
    #[error("domain of the e-mail address is not ascii, pass it as punycode")]
    NotPunycode,
}

const MAX_BYTES: usize = 254;
const MAX_LOCAL: usize = 64;
const MAX_LABEL: usize = 63;

impl Email {
    /// Takes an address.
    ///
    /// # Errors
    ///
    /// [`InvalidEmail`].
    pub fn new(raw: &str) -> Result<Self, InvalidEmail> {
        let raw = raw.trim();
        // Normalising shrinks a text at most threefold; the rest is refused unread.
        if raw.len() > 3 * MAX_BYTES {
            return Err(InvalidEmail::TooLong);
        }
        let normal: String = raw.nfc().collect();
        let (local, domain) = normal.rsplit_once('@').ok_or(InvalidEmail::Malformed)?;
        check_local(local)?;
        check_domain(domain)?;
        let written = format!("{local}@{}", domain.to_ascii_lowercase());
        // Letter by letter: lower-casing a whole text treats a final sigma unlike the others.
        let canonical: String = written.chars().flat_map(char::to_lowercase).nfc().collect();
        if written.len() > MAX_BYTES || canonical.find('@').is_none_or(|end| end > MAX_LOCAL) {
            return Err(InvalidEmail::TooLong);
        }
        Ok(Self { written: written.into(), canonical: canonical.into() })
    }

    /// The address to write to, with the local part as its owner wrote it.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// The form that is unique: lower-case as a whole.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }
}

fn check_local(local: &str) -> Result<(), InvalidEmail> {
    let allowed = |c: char| {
        c.is_ascii_alphanumeric()
            || "!#$%&'*+/=?^_`{|}~-".contains(c)
            || (!c.is_ascii() && c.is_alphanumeric())
    };
    let atom = |part: &str| !part.is_empty() && part.chars().all(allowed);
    if local.len() > MAX_LOCAL {
        return Err(InvalidEmail::TooLong);
    }
    if local.split('.').all(atom) { Ok(()) } else { Err(InvalidEmail::LocalPart) }
}

fn check_domain(domain: &str) -> Result<(), InvalidEmail> {
    if !domain.is_ascii() {
        return Err(InvalidEmail::NotPunycode);
    }
    let label = |part: &str| {
        (1..=MAX_LABEL).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    let top = domain.rsplit_once('.').map(|(_, top)| top).ok_or(InvalidEmail::Domain)?;
    if domain.split('.').all(label) && !top.bytes().all(|b| b.is_ascii_digit()) {
        Ok(())
    } else {
        Err(InvalidEmail::Domain)
    }
}

impl PartialEq for Email {
    fn eq(&self, other: &Self) -> bool {
        self.canonical == other.canonical
    }
}

impl Eq for Email {}

impl std::hash::Hash for Email {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.canonical.hash(state);
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(***)")
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl FromStr for Email {
    type Err = InvalidEmail;

    fn from_str(raw: &str) -> Result<Self, InvalidEmail> {
        Self::new(raw)
    }
}

impl TryFrom<String> for Email {
    type Error = InvalidEmail;

    fn try_from(raw: String) -> Result<Self, InvalidEmail> {
        Self::new(&raw)
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.written.as_ref().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_form_do_not_make_another_address() {
        let written = Email::new(" Ana.Lo\u{301}pez+x@Example.COM ").unwrap();
        assert_eq!(written.as_str(), "Ana.López+x@example.com");
        assert_eq!(written.canonical(), "ana.lópez+x@example.com");
        assert_eq!(written, Email::new("ana.lópez+X@EXAMPLE.com").unwrap());
        assert_eq!(Email::new("ΑΣ@x.gr").unwrap(), Email::new("ασ@x.gr").unwrap());
    }

    #[test]
    fn what_is_refused_is_named() {
        assert_eq!(Email::new("a"), Err(InvalidEmail::Malformed));
        assert_eq!(Email::new("\"a b\"@x.de"), Err(InvalidEmail::LocalPart));
        assert_eq!(Email::new("a@[127.0.0.1]"), Err(InvalidEmail::Domain));
        assert_eq!(Email::new("a@127.0.0.1"), Err(InvalidEmail::Domain));
        assert_eq!(Email::new("a@localhost"), Err(InvalidEmail::Domain));
        assert_eq!(Email::new("a@bücher.de"), Err(InvalidEmail::NotPunycode));
        assert_eq!(Email::new(&format!("{}@x.de", "a".repeat(65))), Err(InvalidEmail::TooLong));
        for raw in ["@x.de", "a@", ".a@x.de", "a..b@x.de", "a b@x.de", "a\0@x.de", "a@-x.de", "a@x..de"] {
            assert!(Email::new(raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn sixty_four_bytes_are_the_longest_local_part() {
        let long = |count: usize| Email::new(&format!("{}@example.com", "a".repeat(count)));
        assert!(long(64).is_ok());
        assert_eq!(long(65), Err(InvalidEmail::TooLong));
    }

    #[test]
    fn equal_addresses_have_equal_hashes_and_others_hardly_ever() {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let hash = |text: &str| {
            let mut hasher = DefaultHasher::new();
            Email::new(text).unwrap().hash(&mut hasher);
            hasher.finish()
        };
        assert_eq!(hash("anna@Example.com"), hash("anna@example.COM"));
        assert_ne!(hash("anna@example.com"), hash("eve@example.com"));
    }
}

//! Hashes that stand in for what must not be stored.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use hmac_sha256::{HMAC, Hash};
use serde::{Deserialize, Serialize};

use crate::value::Email;

/// 32 bytes, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Digest([u8; 32]);

/// The text is not 64 hexadecimal digits in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not 64 hexadecimal digits")]
#[non_exhaustive]
pub struct InvalidDigest;

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(hex: &str) -> Result<Self, InvalidDigest> {
        let mut bytes = [0; 32];
        if hex.len() != 64 || !hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(InvalidDigest);
        }
        for (index, byte) in bytes.iter_mut().enumerate() {
            let pair = hex.get(2 * index..2 * index + 2).ok_or(InvalidDigest)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| InvalidDigest)?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Digest {
    type Error = InvalidDigest;

    fn try_from(hex: String) -> Result<Self, InvalidDigest> {
        hex.parse()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

macro_rules! digests {
    ($($(#[$doc:meta])* $name:ident),*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Digest);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(***)"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidDigest;

            fn from_str(hex: &str) -> Result<Self, InvalidDigest> {
                hex.parse().map(Self)
            }
        }
    )*};
}

digests! {
    /// Stands for an e-mail address where uniqueness is kept: HMAC-SHA256 of its canonical form.
    EmailKey,
    /// Stands for a secret token that was sent to somebody: its SHA-256.
    TokenHash
}

/// The unique key of an e-mail address under the shop's secret.
pub fn email_key(shop_key: &[u8], email: &Email) -> EmailKey {
    EmailKey(Digest(HMAC::mac(email.canonical().as_bytes(), shop_key)))
}

impl TokenHash {
    /// Hashes a token; the token itself must hold at least 128 random bits.
    pub fn of(token: &str) -> Self {
        Self(Digest(Hash::hash(token.as_bytes())))
    }
}

impl From<EmailKey> for Arc<str> {
    fn from(key: EmailKey) -> Self {
        key.to_string().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_follow_the_canonical_form_and_the_shop() {
        let (a, b) = (Email::new("Ana@X.de").unwrap(), Email::new("ana@x.DE").unwrap());
        assert_eq!(email_key(b"shop", &a), email_key(b"shop", &b));
        assert_ne!(email_key(b"shop", &a), email_key(b"other", &a));
        assert_eq!(format!("{:?}", email_key(b"shop", &a)), "EmailKey(***)");
    }

    #[test]
    fn digests_round_trip_and_nothing_else_passes() {
        let hash = TokenHash::of("token");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!(serde_json::from_str::<TokenHash>(&serde_json::to_string(&hash).unwrap()).unwrap(), hash);
        let upper = hash.to_string().to_uppercase();
        for hex in ["", "00", upper.as_str(), &"é".repeat(32)] {
            assert_eq!(hex.parse::<TokenHash>(), Err(InvalidDigest));
        }
    }
}

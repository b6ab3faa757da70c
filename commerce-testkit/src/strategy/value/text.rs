//! Texts that values are read from: valid ones, those that nearly are, and hostile ones.

use std::fmt::Debug;

use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::{Index, select};

/// Characters that deceive, vanish, combine or end something.
const ODD: &[char] = &[
    '\0',
    '\n',
    '\t',
    '\r',
    '\u{7f}',
    '\u{85}',
    ' ',
    '\u{a0}',
    '\u{ad}',
    '\u{200b}',
    '\u{200d}',
    '\u{202e}',
    '\u{2028}',
    '\u{2066}',
    '\u{feff}',
    '\u{fffd}',
    '\u{10ffff}',
    '\u{301}',
    '\u{345}',
    'İ',
    'ß',
    'ς',
    'ﬀ',
    '１',
    '٣',
    '𝟙',
    'а',
    '🛒',
    '"',
    '\'',
    '\\',
    '/',
    '-',
    '+',
    '.',
    '@',
    '%',
    '<',
    '{',
];

/// Texts that other programs have stumbled over.
const TRAPS: &[&str] = &[
    "",
    " ",
    "null",
    "true",
    "NaN",
    "-inf",
    "1e309",
    "-0",
    "0x10",
    "1_000",
    "1,5",
    ".5",
    "5.",
    "--1",
    "+-1",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "9223372036854.775808",
    "00000000-0000-0000-0000-000000000000",
    "urn:uuid:",
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "${jndi:ldap://x}",
    "%00",
    "{}",
    "[]",
    "{\"a\":",
    "\"",
    "@",
    "@@",
    "a@b",
    "a@.b",
    "\"a b\"@example.com",
    "a@[127.0.0.1]",
    "a@example.com\r\nBcc: b@example.com",
    "+",
    "+(0)",
    "+0000000",
    "X-",
    "X-/",
    "X-A/9",
    "X-AAAAAA/0",
    "X-PTS/255",
    "EUR/2",
    "eur",
    "ＥＵＲ",
    "-",
    "--",
    "a--b",
    "XX",
];

/// A SKU, in any spelling.
pub fn sku() -> impl Strategy<Value = String> {
    "[A-Za-z0-9._/+-]{1,64}"
}

/// The part of a web address that names a thing.
pub fn slug() -> impl Strategy<Value = String> {
    "[a-z0-9]{1,20}(-[a-z0-9]{1,15}){0,4}"
}

/// A code that a buyer types.
pub fn promotion_code() -> impl Strategy<Value = String> {
    "[!-~]{1,64}"
}

/// A label: one line of at most 64 characters.
pub fn label() -> impl Strategy<Value = String> {
    "[\\p{L}\\p{N}]([\\p{L}\\p{N} .%-]{0,62}[\\p{L}\\p{N}])?"
}

/// Lines of at most this many characters, as people write them.
pub fn line(most: usize) -> impl Strategy<Value = String> {
    // Three characters may be made of one where a text is normalised.
    let most = (most / 3).max(1);
    let word = "[\\p{L}\\p{N}]";
    let rest = proptest::collection::vec("[\\p{L}\\p{N}\\p{P} \n\t]", 0..most);
    (word, rest).prop_map(|(word, rest)| word + rest.concat().trim_end())
}

/// An e-mail address.
pub fn email() -> impl Strategy<Value = String> {
    let local = "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~äéλ-]{1,12}(\\.[a-zA-Z0-9_+-]{1,8}){0,2}";
    let domain = "([a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?\\.){1,3}[a-z]{2,10}";
    (local, domain).prop_map(|(local, domain)| format!("{local}@{domain}"))
}

/// A telephone number, with what people write between digits.
pub fn phone() -> impl Strategy<Value = String> {
    "\\+[1-9]([ ./-]?[0-9]){6,14}"
}

/// The code of a country, in either case.
pub fn country() -> impl Strategy<Value = String> {
    let codes = ["AT", "BR", "CH", "DE", "FR", "GB", "HK", "IE", "JP", "KE", "NZ", "SG", "US", "VN", "ZA"];
    (select(codes.to_vec()), any::<bool>())
        .prop_map(|(code, small)| if small { code.to_ascii_lowercase() } else { code.to_owned() })
}

/// The code of a currency in use, or of a unit of the host with its exponent.
pub fn currency() -> impl Strategy<Value = String> {
    let iso = ["AUD", "BHD", "CHF", "CLP", "EUR", "GBP", "ISK", "JPY", "KWD", "SEK", "TND", "USD", "XAF"];
    prop_oneof![3 => select(iso.to_vec()).prop_map(str::to_owned), 1 => "X-[A-Z0-9]{1,5}/[0-6]"]
}

/// A percentage.
pub fn rate() -> impl Strategy<Value = String> {
    prop_oneof![6 => "[0-9]{1,2}(\\.[0-9]{1,6})?", 1 => "100(\\.0{1,6})?"]
}

/// The price of one unit, without its currency.
pub fn price() -> impl Strategy<Value = String> {
    "[0-9]{1,12}(\\.[0-9]{1,6})?"
}

/// Nearly what it should be: a text of the strategy with one thing wrong, which may still be right.
pub fn near<S>(valid: S) -> impl Strategy<Value = String>
where
    S: Strategy<Value = String> + Debug,
{
    (valid, any::<Index>(), select(ODD), 0_u8..9).prop_map(|(text, index, odd, fault)| {
        let mut chars: Vec<char> = text.chars().collect();
        let at = index.index(chars.len() + 1);
        match fault {
            0 => chars.insert(at, odd),
            1 if at < chars.len() => drop(chars.remove(at)),
            2 => chars.truncate(at),
            3 => chars.reverse(),
            4 => chars.extend(text.chars().collect::<Vec<_>>()),
            5 => return text.to_uppercase(),
            6 => return format!("{odd}{text}{odd}"),
            7 => return text.repeat(100),
            _ => chars.iter_mut().skip(at).take(1).for_each(|c| *c = odd),
        }
        chars.into_iter().collect()
    })
}

/// What nobody means well by.
pub fn hostile() -> impl Strategy<Value = String> {
    let odd = proptest::collection::vec(select(ODD), 0..40).prop_map(String::from_iter);
    let long = (select(ODD), 0_usize..20_000).prop_map(|(c, times)| c.to_string().repeat(times));
    prop_oneof![
        3 => select(TRAPS).prop_map(str::to_owned),
        3 => any::<String>(),
        3 => odd,
        1 => long,
        1 => near(select(TRAPS).prop_map(str::to_owned)),
        1 => Just("9".repeat(400)),
    ]
}

//! UUIDs as AWS writes them. Their bits come from outside: the domain draws no random numbers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A UUID of version 4, shown with hyphens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Uuid(u128);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a UUID")]
pub struct NotUuid;

impl Uuid {
    /// Before and after every UUID: the bounds of a range of them.
    pub const MIN: Self = Self(0);
    pub const MAX: Self = Self(u128::MAX);

    /// Makes one of random bits, six of which the version takes.
    pub const fn from_entropy(entropy: u128) -> Self {
        let version = (entropy & !(0xf << 76)) | (0x4 << 76);
        Self((version & !(0x3 << 62)) | (0x2 << 62))
    }

    /// The 32 hexadecimal digits without hyphens.
    pub fn simple(self) -> String {
        format!("{:032x}", self.0)
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every answer has one as its id, so that it is written without formatting.
        let mut text = [b'-'; 36];
        let places = (0..text.len()).filter(|place| !matches!(place, 8 | 13 | 18 | 23));
        for (place, digit) in places.zip(0_u32..) {
            let nibble = (self.0 >> (124 - 4 * digit)) & 0xf;
            text[place] = b"0123456789abcdef"[nibble as usize];
        }
        out.write_str(str::from_utf8(&text).expect("made of ASCII only"))
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl FromStr for Uuid {
    type Err = NotUuid;

    fn from_str(raw: &str) -> Result<Self, NotUuid> {
        let digits: String = raw.split('-').collect();
        let number = u128::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 32);
        number.map(Self).ok_or(NotUuid)
    }
}

impl TryFrom<String> for Uuid {
    type Error = NotUuid;

    fn try_from(raw: String) -> Result<Self, NotUuid> {
        raw.parse()
    }
}

impl From<Uuid> for String {
    fn from(uuid: Uuid) -> Self {
        uuid.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_reads_back_and_has_the_form_of_version_4() {
        for bits in [0, u128::MAX, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef] {
            let uuid = Uuid::from_entropy(bits);
            assert_eq!(uuid.to_string().parse(), Ok(uuid));
            assert_eq!(uuid.simple().as_bytes()[12], b'4');
            assert!(b"89ab".contains(&uuid.simple().as_bytes()[16]));
        }
        assert_eq!("12345".parse::<Uuid>(), Err(NotUuid));
    }
}

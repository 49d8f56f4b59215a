//! Ids, secrets and tokens made of random bits, in the form in which AWS writes them.

/// Five bits a character, in the order of ASCII, so that what is greater sorts behind.
const BASE_32: &[u8; 32] = b"234567ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// Six bits a character.
const BASE_64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Characters of the expiry within a session's key id: 35 bits of seconds last for a thousand years.
const EXPIRY_CHARACTERS: usize = 7;
/// The greatest second that fits.
const EXPIRY_MAX: u64 = (1 << (5 * EXPIRY_CHARACTERS)) - 1;

/// `count` characters of the lowest bits, the highest of them first.
fn letters(alphabet: &[u8], bits: u128, count: usize) -> String {
    let base = alphabet.len() as u128;
    let mut rest = bits;
    let mut letters: Vec<char> = (0..count)
        .map(|_| {
            let letter = usize::try_from(rest % base).ok().and_then(|place| alphabet.get(place));
            rest /= base;
            letter.map_or('A', |letter| char::from(*letter))
        })
        .collect();
    letters.reverse();
    letters.into_iter().collect()
}

/// The 21 characters of a unique id. Prefixes: AIDA user, AROA role, AGPA group, ANPA policy.
pub fn unique_id(prefix: &str, entropy: u128) -> String {
    format!("{prefix}{}", letters(BASE_32, entropy, 17))
}

/// The 20 characters of a long-term key's id.
pub fn access_key_id(entropy: u128) -> String {
    format!("AKIA{}", letters(BASE_32, entropy, 16))
}

/// The 20 characters of a session's key id. It begins with when the session ends, in seconds, so that of all sessions
/// those that end first sort first and need no search.
pub fn session_key_id(expires_at_secs: i64, entropy: u128) -> String {
    let expiry = u64::try_from(expires_at_secs).unwrap_or(0).min(EXPIRY_MAX);
    let expiry = letters(BASE_32, expiry.into(), EXPIRY_CHARACTERS);
    format!("ASIA{expiry}{}", letters(BASE_32, entropy, 16 - EXPIRY_CHARACTERS))
}

/// The 40 characters of a secret key: 240 bits of 256.
pub fn secret(entropy: [u128; 2]) -> String {
    entropy.map(|bits| letters(BASE_64, bits, 20)).concat()
}

/// A session's token: 480 bits of 512. Clients must take it as it is; it says nothing.
pub fn session_token(entropy: [u128; 4]) -> String {
    entropy.map(|bits| letters(BASE_64, bits, 20)).concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ids_have_the_length_and_the_letters_of_awss(bits: [u128; 4], expiry in 0_i64..1 << 35) {
            let ids = [unique_id("AIDA", bits[0]), access_key_id(bits[1]), session_key_id(expiry, bits[2])];
            prop_assert_eq!(ids.each_ref().map(String::len), [21, 20, 20]);
            for id in ids {
                prop_assert!(id.bytes().all(|byte| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte)));
            }
            prop_assert_eq!(secret([bits[0], bits[1]]).len(), 40);
            prop_assert_eq!(session_token(bits).len(), 80);
        }

        #[test]
        fn sessions_sort_by_when_they_end(a in 0_i64..1 << 35, b in 0_i64..1 << 35, bits: [u128; 2]) {
            let order = session_key_id(a, bits[0])[..11].cmp(&session_key_id(b, bits[1])[..11]);
            prop_assert_eq!(order, a.cmp(&b));
        }
    }
}

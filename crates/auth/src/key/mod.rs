//! Making the root access key, and reading and writing the files that hold keys.
//!
//! Entropy and text are arguments: whoever calls this reads the files and the random numbers.

mod profile;

pub use profile::{FILE_BYTES_MAX, Profile, ProfileError, Profiles, parse, print};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::SecretKey;

/// Random bytes that [`root_key`] wants: 10 for the id and 30 for the secret.
pub const ROOT_KEY_ENTROPY_BYTES: usize = 40;

/// The characters of AWS's key ids.
const ID_ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A long-term access key in AWS's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// `AKIA` and sixteen of `A-Z2-7`.
    pub access_key_id: String,
    /// Forty characters of base 64.
    pub secret: SecretKey,
}

/// The access key that these random bytes stand for.
pub fn root_key(entropy: [u8; ROOT_KEY_ENTROPY_BYTES]) -> AccessKey {
    let (for_id, for_secret) = entropy.split_at(10);
    let bits = for_id.iter().fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
    let letters = (0..16_u32).rev().filter_map(|at| {
        let index = usize::try_from((bits >> at.saturating_mul(5)) & 31).ok()?;
        ID_ALPHABET.get(index).copied().map(char::from)
    });
    AccessKey {
        access_key_id: "AKIA".chars().chain(letters).collect(),
        secret: SecretKey::new(STANDARD.encode(for_secret)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_entropy_is_spelt_out_in_order() {
        let mut entropy = [0; ROOT_KEY_ENTROPY_BYTES];
        assert_eq!(root_key(entropy).access_key_id, "AKIAAAAAAAAAAAAAAAAA");
        entropy[9] = 1;
        entropy[39] = 1;
        let key = root_key(entropy);
        assert_eq!(key.access_key_id, "AKIAAAAAAAAAAAAAAAAB");
        assert_eq!(key.secret.expose(), format!("{}B", "A".repeat(39)));
        assert_eq!(root_key([255; ROOT_KEY_ENTROPY_BYTES]).access_key_id, "AKIA7777777777777777");
    }

    proptest! {
        #[test]
        fn keys_have_awss_form_and_differ(one: [u8; 40], other: [u8; 40]) {
            let (key, another) = (root_key(one), root_key(other));
            prop_assert_eq!(key.access_key_id.len(), 20);
            prop_assert!(key.access_key_id.bytes().all(|byte| ID_ALPHABET.contains(&byte)));
            prop_assert_eq!(key.secret.expose().len(), 40);
            prop_assert_eq!(one == other, key == another);
        }
    }
}

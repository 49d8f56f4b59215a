//! AWS's names to Rust's.

/// `VolumeSizeInGB` to `volume_size_in_gb`, with `r#` before a keyword.
pub(crate) fn field(name: &str) -> String {
    const KEYWORDS: &[&str] = &[
        "as", "const", "enum", "for", "if", "in", "match", "mod", "move", "ref", "static", "type",
        "use", "where",
    ];
    let snake = snake(name);
    if KEYWORDS.contains(&snake.as_str()) { format!("r#{snake}") } else { snake }
}

/// `CreateModelInput` to `CREATE_MODEL_INPUT`.
pub(crate) fn constant(name: &str) -> String {
    snake(name).to_uppercase()
}

/// `snapStart` to `SnapStart`; most names are in this form already.
pub(crate) fn type_name(name: &str) -> String {
    capitalised(name)
}

/// An enum value to a variant: `InService` stays, `BUILT_IN` becomes `BuiltIn`, `1.5x` becomes `V15x`.
pub(crate) fn variant(value: &str) -> String {
    let words = value.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name: String = words
        .map(|word| {
            let shouted = word.len() > 1 && !word.chars().any(|c| c.is_ascii_lowercase());
            if shouted { capitalised(&word.to_lowercase()) } else { capitalised(word) }
        })
        .collect();
    match name.chars().next() {
        None => "Empty".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("V{name}"),
        Some(_) => name,
    }
}

/// Whether generated code uses an identifier that it would have to import: as a word of its own, not in a string
/// or in documentation, and not as a variant of `Kind`.
pub(crate) fn is_used(code: &str, name: &str) -> bool {
    let free = |letter: Option<char>| {
        !letter.is_some_and(|l| l.is_alphanumeric() || matches!(l, '_' | '"' | '`'))
    };
    code.match_indices(name).any(|(at, _)| {
        let before = code.get(..at).unwrap_or_default();
        let after = code.get(at + name.len()..).unwrap_or_default();
        !before.ends_with("Kind::") && free(before.chars().last()) && free(after.chars().next())
    })
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (at, &letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(at + 1);
        let starts_word = letter.is_ascii_uppercase()
            && before.is_some_and(|b| {
                b.is_ascii_lowercase()
                    || b.is_ascii_digit()
                    || (b.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase))
            });
        if starts_word && !snake.ends_with('_') {
            snake.push('_');
        }
        let letter = if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' };
        snake.push(letter);
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_snake_case() {
        let table = [
            ("ModelName", "model_name"),
            ("VolumeSizeInGB", "volume_size_in_gb"),
            ("EnableSSMAccess", "enable_ssm_access"),
            ("S3Uri", "s3_uri"),
            ("KmsKeyId", "kms_key_id"),
            ("SNSTopic", "sns_topic"),
            ("Type", "r#type"),
        ];
        for (name, expected) in table {
            assert_eq!(field(name), expected);
        }
    }

    #[test]
    fn imports_are_for_what_is_used() {
        let table = [
            ("pub body: Bytes,", true),
            ("Option<Bytes>", true),
            (".required(\"Bytes\")", false),
            ("/// AWS's `Bytes`.", false),
            ("NumBytes", false),
            ("Kind::Bytes(1)", false),
        ];
        for (code, expected) in table {
            assert_eq!(is_used(code, "Bytes"), expected, "{code}");
        }
    }

    #[test]
    fn variants_are_camel_case() {
        let table = [
            ("InService", "InService"),
            ("ALL_AT_ONCE", "AllAtOnce"),
            ("ml.m5.large", "MlM5Large"),
            ("al2-ami-sagemaker-inference-gpu-2", "Al2AmiSagemakerInferenceGpu2"),
            ("1.0", "V10"),
            ("", "Empty"),
            ("A", "A"),
        ];
        for (value, expected) in table {
            assert_eq!(variant(value), expected);
        }
    }
}

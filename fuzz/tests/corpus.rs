//! Every input of every corpus, without the engine: what was once found stays found.

#[cfg(test)]
mod corpora {
    use std::fs;
    use std::path::Path;

    /// The least that a corpus holds: an empty one would pass whatever the code does.
    const INPUTS_MIN: usize = 5;

    fn corpus(name: &str, run: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
        let inputs = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let mut inputs: Vec<_> = inputs.collect();
        inputs.sort();
        assert!(inputs.len() >= INPUTS_MIN, "{} has {} inputs", folder.display(), inputs.len());
        for input in inputs {
            let bytes = fs::read(&input).unwrap();
            let ran = std::panic::catch_unwind(|| run(&bytes));
            assert!(ran.is_ok(), "{} breaks it", input.display());
        }
    }

    macro_rules! corpora {
        ($($name:ident),+) => {$(
            #[test]
            fn $name() {
                corpus(stringify!($name), fuzz::$name::run);
            }
        )+};
    }

    corpora!(
        archive,
        event_stream,
        metric_math,
        model_answer,
        onnx_request,
        policy,
        schedule,
        sigv4,
        wire_request
    );
}

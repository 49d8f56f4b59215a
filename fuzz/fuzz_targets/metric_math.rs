#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::metric_math::run(data));

//! Answers of model servers: the same however the network cuts them, and never longer than what came.

use gateway::fuzzing::{Read, read_answer};

pub fn run(data: &[u8]) {
    // The first byte says how it is cut.
    let Some((&size, answer)) = data.split_first() else { return };
    let whole = read_answer([answer]);
    let cut = read_answer(answer.chunks(usize::from(size) + 1));
    assert_eq!(whole, cut);
    if let Read::Answer { status, body, left } = whole {
        assert!((200..=999).contains(&status) || status == 101, "an interim answer is none");
        assert!(body.len() + left < answer.len());
    }
}

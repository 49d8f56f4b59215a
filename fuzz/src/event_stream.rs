//! Frames of an event stream, as a client reads them: also of what a server sends.

use bytes::Bytes;
use wire::event_stream::Decoder;

pub fn run(data: &[u8]) {
    let mut decoder = Decoder::new();
    let mut input = Bytes::copy_from_slice(data);
    while let Ok(Some(message)) = decoder.decode(&mut input) {
        let Ok(encoded) = message.encode() else { continue };
        let mut again = Decoder::new();
        let read = again.decode(&mut encoded.clone());
        assert_eq!(read.ok().flatten().as_ref(), Some(&message));
    }
    let _ = decoder.finish();
}

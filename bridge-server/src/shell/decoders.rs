//! A stream that says anything, for [`crate::decoders`].

use nanonet::MAX_FRAME;

use super::tcp::{read_frame, read_prefix};

/// What another bridge sends to our port. Accepted if it is a link's prefix and whole frames.
pub fn link_stream(mut bytes: &[u8]) -> bool {
    crate::decoders::wait(async {
        if !read_prefix(&mut bytes).await {
            return false;
        }
        while !bytes.is_empty() {
            match read_frame(&mut bytes).await {
                Ok(frame) => assert!((1..=MAX_FRAME).contains(&frame.len())),
                Err(_) => return false,
            }
        }
        true
    })
}

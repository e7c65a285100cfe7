//! Byte cursors for blocks: fixed buffers, no allocation.

use super::MAX_BLOCK_SIZE;

/// Takes fixed-size fields off the front of a slice.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl Reader<'_> {
    /// The next `N` bytes; `None` when fewer are left.
    pub(crate) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*field)
    }
}

/// Collects fields; large enough for a type byte and the largest block.
pub(crate) struct Writer {
    buffer: [u8; 1 + MAX_BLOCK_SIZE],
    length: usize,
}

impl Writer {
    pub(crate) fn new() -> Self {
        Self {
            buffer: [0; 1 + MAX_BLOCK_SIZE],
            length: 0,
        }
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        self.buffer[self.length..end].copy_from_slice(bytes);
        self.length = end;
    }

    pub(crate) fn written(&self) -> &[u8] {
        &self.buffer[..self.length]
    }
}

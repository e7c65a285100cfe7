//! Reading fields off the front of untrusted bytes.
//!
//! Nothing here allocates, so a length found in the input is always compared with the bytes that
//! are really there before anything is reserved for it.

/// A position in a slice; every read moves it forward or answers `None` and leaves it in place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*field)
    }

    /// The next byte.
    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// The next `count` bytes.
    pub(crate) fn slice(&mut self, count: usize) -> Option<&'a [u8]> {
        let (field, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(field)
    }

    /// The next `count` pieces of `N` bytes each.
    pub(crate) fn pieces<const N: usize>(&mut self, count: usize) -> Option<&'a [[u8; N]]> {
        let bytes = self.slice(count.checked_mul(N)?)?;
        Some(bytes.as_chunks::<N>().0)
    }

    /// Bytes not read yet.
    pub(crate) const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Everything not read yet; nothing remains.
    pub(crate) fn take_rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.rest)
    }
}

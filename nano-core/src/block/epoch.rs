//! Epochs: ledger-wide upgrades, marked by special link values in state blocks.

use core::fmt;

use crate::Link;

/// An epoch that accounts were upgraded to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Epoch {
    /// Epoch 1: state blocks.
    One,
    /// Epoch 2: work thresholds by kind of block.
    Two,
}

impl Epoch {
    /// Both epochs, in order.
    pub const ALL: [Self; 2] = [Self::One, Self::Two];

    /// The link value that marks a block of this epoch.
    #[must_use]
    pub const fn link(self) -> Link {
        let text = match self {
            Self::One => b"epoch v1 block",
            Self::Two => b"epoch v2 block",
        };
        let mut bytes = [0; 32];
        let mut index = 0;
        while index < text.len() {
            bytes[index] = text[index];
            index += 1;
        }
        Link::from_bytes(bytes)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::One => "epoch 1",
            Self::Two => "epoch 2",
        })
    }
}

impl Link {
    /// The epoch this link marks, if it is one of the marks.
    #[must_use]
    pub fn epoch(&self) -> Option<Epoch> {
        Epoch::ALL.into_iter().find(|epoch| epoch.link() == *self)
    }
}

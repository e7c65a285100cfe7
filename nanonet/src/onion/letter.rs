//! What the two ends of circuits say to each other.
//!
//! A parcel is the payload of one cell (postcard). A *loop* comes back to who sent it, to see whether
//! relays work. A *letter* carries parts of messages, what was received of the other side's, and on
//! the first cell of a circuit who it is from. The sender's signature is over the circuit's binding, so
//! a letter cannot be taken from one circuit to another.

use nano_core::Signature;
use serde::{Deserialize, Serialize};

use crate::registry::Door;
use crate::wire::Bytes;
use crate::{Identity, NodeId, NodeKey, NoiseKey, Purpose};

/// Most doors that a sender names for the answer.
pub(crate) const ANSWER_DOORS: usize = 2;
/// Most circuits of the other side that a letter tells to have brought something.
pub(crate) const MAX_HEARD: usize = 4;

/// The payload of a cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Parcel {
    /// To ourselves: this number.
    Loop(u64),
    /// To somebody else.
    Letter(Letter),
}

/// A letter.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Letter {
    /// Who writes; on the first cell of a circuit.
    pub(crate) hello: Option<Box<Hello>>,
    /// What came of the other side's letters.
    pub(crate) ack: Option<Ack>,
    /// Parts of messages.
    pub(crate) parts: Vec<Part>,
}

/// Who writes, and how the answer finds the way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Hello {
    /// Who.
    pub(crate) from: NodeKey,
    /// Of the sender's sessions with the recipient a later one has a higher number; the parts of
    /// each are numbered from 0.
    pub(crate) session: u64,
    /// How the answer gets there.
    pub(crate) address: Address,
    /// The key's, over the circuit's binding and the above.
    pub(crate) signature: Signature,
}

/// How a node is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Address {
    /// Places it.
    pub(crate) nonce: u64,
    /// Opens its layers.
    pub(crate) noise_key: NoiseKey,
    /// Through whom.
    pub(crate) doors: Vec<Door>,
}

impl Address {
    /// Where the node with this key lies.
    pub(crate) fn id(&self, key: &NodeKey) -> NodeId {
        NodeId::new(key, self.nonce)
    }
}

/// What was received.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ack {
    /// Of which session of the one who reads this.
    pub(crate) session: u64,
    /// All parts before this one.
    pub(crate) next: u32,
    /// Bit `i`: part `next + 1 + i`, too.
    pub(crate) bits: u64,
    /// Parts that there is room for from `next` on; 0: no more messages now.
    pub(crate) room: u16,
    /// Circuits over which letters came lately.
    pub(crate) heard: Vec<u64>,
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// Its number in the session.
    pub(crate) number: u32,
    /// No part before this one will come any more.
    pub(crate) base: u32,
    /// Whether the message ends here.
    pub(crate) last: bool,
    /// What.
    pub(crate) bytes: Bytes,
}

impl Parcel {
    /// Its bytes.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        postcard::to_allocvec(self).unwrap_or_default()
    }

    /// Reads [`Parcel::to_bytes`]; `None` for anything else.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (parcel, rest) = postcard::take_from_bytes::<Self>(bytes).ok()?;
        rest.is_empty().then_some(parcel)
    }
}

impl Hello {
    /// Signs who writes over a circuit.
    pub(crate) fn sign(
        identity: &Identity,
        binding: &[u8; 32],
        session: u64,
        address: Address,
    ) -> Self {
        let mut hello = Self {
            from: identity.node_key(),
            session,
            address,
            signature: Signature::from_bytes([0; 64]),
        };
        hello.signature = identity.sign(Purpose::Letter, &hello.signed_bytes(binding));
        hello
    }

    /// Whether the one it names made the circuit with this binding.
    pub(crate) fn holds(&self, binding: &[u8; 32]) -> bool {
        let data = self.signed_bytes(binding);
        self.address.doors.len() <= ANSWER_DOORS
            && self
                .from
                .verify(Purpose::Letter, &data, &self.signature)
                .is_ok()
    }

    fn signed_bytes(&self, binding: &[u8; 32]) -> Vec<u8> {
        let what = (binding, &self.from, self.session, &self.address);
        postcard::to_allocvec(&what).unwrap_or_default()
    }
}

/// Whether bytes are a parcel; what is one has to come back from its own bytes.
#[cfg(any(test, feature = "adversary"))]
pub(crate) fn reads(bytes: &[u8]) -> bool {
    let Some(parcel) = Parcel::from_bytes(bytes) else {
        return false;
    };
    assert_eq!(Parcel::from_bytes(&parcel.to_bytes()), Some(parcel));
    true
}

/// The bytes of a loop and of a letter with everything in it, for the corpus.
#[cfg(any(test, feature = "adversary"))]
pub(crate) fn samples(identity: &Identity) -> [Vec<u8>; 2] {
    let door = Door {
        id: identity.node_id(),
        noise_key: identity.noise_key(),
    };
    let address = Address {
        nonce: identity.nonce(),
        noise_key: identity.noise_key(),
        doors: vec![door; ANSWER_DOORS],
    };
    let letter = Letter {
        hello: Some(Box::new(Hello::sign(identity, &[7; 32], 5, address))),
        ack: Some(Ack {
            session: 3,
            next: 2,
            bits: 5,
            room: 32,
            heard: vec![1, 2],
        }),
        parts: vec![Part {
            number: 9,
            base: 4,
            last: true,
            bytes: Bytes(b"hello".to_vec()),
        }],
    };
    [Parcel::Loop(6), Parcel::Letter(letter)].map(|parcel| parcel.to_bytes())
}

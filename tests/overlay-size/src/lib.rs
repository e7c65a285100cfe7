//! Measures what the overlay adds to the browser wasm.
//!
//! Built twice: with and without the feature `overlay`. Both hold what a wallet needs of Nano
//! itself: tables of weights and what sets them apart, proofs in both forms, blocks in both forms, signing; the first also
//! drives a whole [`nanonet::Node`] with every input from outside, so that nothing of it can be
//! left out by the linker, and what the product loads later is taken out of it likewise. The difference of the two, compressed, is the overlay's share. Texts of
//! keys and statuses belong to the JavaScript interface and are in neither.

use nano_core::proof::{BalanceProof, ReceivableProof};
use nano_core::{Account, Block, Network, PrivateKey, WeightTable};
use wasm_bindgen::prelude::wasm_bindgen;

/// Checks a proof, and says its table of weights as bytes: what both builds hold.
#[wasm_bindgen]
#[must_use]
pub fn check(proof: &[u8], receivable: &[u8], weights: &[u8], account: &str) -> Option<Vec<u8>> {
    let weights = WeightTable::from_bytes(weights).unwrap_or_else(|_| WeightTable::live_snapshot());
    let account = account.parse::<Account>().ok()?;
    let balance = BalanceProof::from_bytes(proof).ok()?;
    let sent = ReceivableProof::from_bytes(receivable).ok()?;
    balance.verify(&account, Network::Live, &weights).ok()?;
    sent.verify(&account, Network::Live, &weights).ok()?;
    balance.to_json().ok()?;
    let shipped = WeightTable::live_snapshot();
    let middle = shipped.median(&[&shipped, &weights]);
    if middle.moved(&weights).is_zero() {
        return None;
    }
    [
        balance.to_bytes().ok()?,
        sent.to_bytes().ok()?,
        weights.to_bytes().ok()?,
    ]
    .concat()
    .into()
}

/// Signs a block, given as text or bytes: what both builds hold.
#[wasm_bindgen]
#[must_use]
pub fn sign(text: &str, bytes: &[u8], key: &str) -> Option<Vec<u8>> {
    let mut block = Block::from_json_text(text)
        .or_else(|_| Block::parse_typed(bytes))
        .ok()?;
    let key = PrivateKey::from_hex(key).ok()?;
    block.set_signature(key.sign(block.hash().as_bytes()));
    Some(block.serialized_typed())
}

/// Stands for what has the later part loaded (`nano-wasm/src/later.rs`).
#[cfg(feature = "overlay")]
#[wasm_bindgen(js_name = loadLater)]
pub fn load_later() {}

#[cfg(feature = "overlay")]
mod overlay {
    //! A node driven by whatever JavaScript says.

    use nano_core::{Account, Block, Network, Root, Signature, UnixMillis, WeightTable, WorkNonce};
    use nanonet::weights::{SignedWeights, refresh};
    use nanonet::{
        Channel, Config, GetOptions, Identity, Input, LinkId, LinkOrigin, Node, NodeKey, Output,
        RequestId, Rng, SessionId, StoreKey, StoredEntry, Transport,
    };
    use wasm_bindgen::prelude::wasm_bindgen;

    /// The shipped weights, renewed by what one anchor says of them.
    fn renewed(table: WeightTable, bytes: &[u8], now: UnixMillis) -> Option<WeightTable> {
        let bridge = NodeKey::from_bytes(bytes.first_chunk().copied()?);
        let offer = SignedWeights {
            table,
            bridge,
            signature: Signature::from_bytes(bytes.first_chunk().copied()?),
        };
        refresh(&WeightTable::live_snapshot(), &[bridge], &[offer], now).ok()
    }

    /// The input of this number; none where its parts do not parse.
    fn input_of(now: UnixMillis, number: u32, id: u64, bytes: &[u8], text: &str) -> Option<Input> {
        let (link, session, request) = (LinkId(id), SessionId(id), RequestId(id));
        Some(match number {
            0 => Input::LinkOpened {
                link,
                origin: LinkOrigin::Dialled,
                transport: Transport::WebSocket,
            },
            1 => Input::LinkOpened {
                link,
                origin: LinkOrigin::Signaled {
                    session,
                    offerer: bytes.is_empty(),
                },
                transport: Transport::DataChannel,
            },
            2 => Input::LinkReceived {
                link,
                channel: Channel::Ordered,
                bytes: bytes.to_vec(),
            },
            3 => Input::LinkWritten { link, bytes: 1 },
            4 => Input::LinkClosed { link },
            5 => Input::LocalDescription {
                session,
                sdp: text.to_owned(),
            },
            6 => Input::LocalCandidate {
                session,
                candidate: text.to_owned(),
            },
            7 => Input::SessionFailed { session },
            8 => Input::Loaded {
                entries: vec![StoredEntry {
                    key: StoreKey::from_text(text)?,
                    bytes: bytes.to_vec(),
                }],
            },
            9..=11 => {
                let account = text.parse::<Account>().ok()?;
                match number {
                    9 => Input::Get {
                        request,
                        account,
                        options: GetOptions::default(),
                    },
                    10 => Input::Watch { account },
                    _ => Input::Unwatch { account },
                }
            }
            12 => Input::Publish {
                request,
                block: Box::new(Block::from_json_text(text).ok()?),
            },
            13 | 14 => {
                let mut table = WeightTable::from_bytes(bytes).ok()?;
                if number == 14 {
                    table = renewed(table, bytes, now)?;
                }
                Input::Weights(Box::new(table))
            }
            15 => Input::Anchors(vec![NodeKey::from_bytes(bytes.try_into().ok()?)]),
            16 => Input::WorkFound {
                root: Root::from_bytes(bytes.try_into().ok()?),
                nonce: WorkNonce::new(id),
            },
            _ => return None,
        })
    }

    /// A node of a browser.
    #[wasm_bindgen]
    pub struct Probe(Node);

    #[wasm_bindgen]
    impl Probe {
        /// A node with this seed.
        #[must_use]
        pub fn create(seed: &[u8], stored: &[u8]) -> Option<Probe> {
            let seed: [u8; 32] = seed.try_into().ok()?;
            let identity = Identity::from_bytes(stored)
                .unwrap_or_else(|_| Identity::generate(&mut Rng::from_seed(seed)));
            let config = Config::browser(Network::Live, WeightTable::live_snapshot(), Vec::new());
            Some(Probe(Node::new(config, identity, seed, UnixMillis::new(0))))
        }

        /// Hands in the input of this number.
        pub fn input(&mut self, now: u64, number: u32, id: u64, bytes: &[u8], text: &str) {
            let input = input_of(UnixMillis::new(now), number, id, bytes, text);
            let input = input.unwrap_or(Input::Timeout);
            self.0.handle_input(UnixMillis::new(now), input);
        }

        /// The next thing to transmit or to store; an empty one for anything else.
        pub fn output(&mut self) -> Option<Vec<u8>> {
            self.0.poll_output().map(|output| match output {
                Output::Transmit { bytes, .. } => bytes,
                _ => Vec::new(),
            })
        }

        /// When it wants to be called again.
        #[must_use]
        pub fn next_timeout(&self) -> Option<u64> {
            self.0.next_timeout().map(|at| at.0)
        }

        /// How many links are open and own blocks pending.
        #[must_use]
        pub fn links(&self) -> u32 {
            u32::try_from(self.0.status().links.len() + self.0.pending().count())
                .unwrap_or(u32::MAX)
        }
    }
}

//! What a hop costs beside the cipher alone, for the bench `messages`: the shell holds the clock.
//!
//! Exists in tests and with the feature `adversary` only.

use chacha20poly1305::aead::AeadInOut as _;
use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit as _, Nonce, Tag};
use nano_core::UnixMillis;

use super::cell::{BODY, TAG};
use super::{Cell, Circuit, Hop, Peeled, Relays};
use crate::{Identity, Rng};

const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

/// A hop, a circuit through it, and the same amount of text for the cipher alone.
pub struct Measured {
    hop: Identity,
    relays: Relays,
    circuit: Circuit,
    cells: Vec<Cell>,
    cipher: ChaCha20Poly1305,
    texts: Vec<([u8; BODY - TAG], Tag)>,
}

impl Measured {
    /// A hop that carries `circuits` circuits besides the one that is measured; `None` if they cannot be
    /// made, which does not happen.
    #[must_use]
    pub fn new(circuits: usize) -> Option<Self> {
        let mut rng = Rng::from_seed([1; 32]);
        let nodes: Vec<Identity> = (0..4).map(|_| Identity::generate(&mut rng)).collect();
        let route: Vec<Hop> = nodes
            .iter()
            .map(|node| Hop {
                id: node.node_id(),
                noise_key: node.noise_key(),
            })
            .collect();
        let hop = nodes.into_iter().next()?;
        let mut relays = Relays::new(circuits + 1);
        let mut measured = None;
        for _ in 0..=circuits {
            let mut circuit = Circuit::new(&route, &mut rng).ok()?;
            let first = circuit.cell(NOW, b"").ok()?;
            relays.peel(&hop, NOW, first).ok()?;
            measured = Some(circuit);
        }
        Some(Self {
            hop,
            relays,
            circuit: measured?,
            cells: Vec::new(),
            cipher: ChaCha20Poly1305::new(&Key::from([7; 32])),
            texts: Vec::new(),
        })
    }

    /// Makes `count` cells, and as many texts.
    pub fn prepare(&mut self, count: usize) {
        let made = (0..count).filter_map(|_| self.circuit.cell(NOW, b"measured").ok());
        self.cells = made.collect();
        self.texts = (0..count)
            .map(|_| {
                let mut text = [0; BODY - TAG];
                let nonce = Nonce::default();
                let sealed =
                    self.cipher
                        .encrypt_inout_detached(&nonce, &[], text.as_mut_slice().into());
                (text, sealed.unwrap_or_default())
            })
            .collect();
    }

    /// Takes the hop's layer off every cell; how many went on.
    pub fn hop(&mut self) -> usize {
        let mut onward = 0;
        for cell in std::mem::take(&mut self.cells) {
            let peeled = self.relays.peel(&self.hop, NOW, cell);
            onward += usize::from(matches!(peeled, Ok(Peeled::Onward { .. })));
        }
        onward
    }

    /// Decrypts every text; how many were genuine.
    pub fn cipher(&mut self) -> usize {
        let mut genuine = 0;
        for (text, tag) in &mut self.texts {
            let nonce = Nonce::default();
            let opened =
                self.cipher
                    .decrypt_inout_detached(&nonce, &[], text.as_mut_slice().into(), tag);
            genuine += usize::from(opened.is_ok());
        }
        genuine
    }
}
